import { unservedMs } from '../measure/brown-out.ts';
import { LAST_SERVICE_MS } from '../scenario/last-service.ts';
import { LATE_WINDOWS } from './brown-out.ts';
import { finding, seconds, type Check } from './check.ts';

const NAME = 'served-at-end';

/** Who must recover has, however long that may take: where an outage may be and no objective is for its length, nobody else asks whether it ever ended. */
export const servedAtEnd: Check = {
  name: NAME,
  kind: 'target',
  question: 'Was every client that must recover served again when the load ended?',
  judge: ({ view, scenario }) => {
    if (scenario.expect.outage === 'none') return [finding(NAME, 'skipped', 'the scenario allows no outage')];
    if (scenario.targets.recoveryTimeMs !== null) return [finding(NAME, 'skipped', 'recovery-time says so')];
    return scenario.expect.mustRecover.map((vantage) => {
      const ms = unservedMs(view, vantage);
      if (ms === null) return finding(NAME, 'inconclusive', `${vantage} sent nothing`);
      const isServed = ms <= Math.min(LAST_SERVICE_MS, LATE_WINDOWS * scenario.workload.sustained.forMs);
      if (isServed) return finding(NAME, 'pass', `${vantage} was served when the load ended`);
      return finding(NAME, 'fail', `${vantage} was not served for ${seconds(ms)} when the load ended, and it must recover`);
    });
  },
};
