import { unservedMs } from '../measure/brown-out.ts';
import { partlyServed } from '../measure/partly-served.ts';
import { LAST_SERVICE_MS } from '../scenario/last-service.ts';
import { LATE_WINDOWS } from './brown-out.ts';
import { EVIDENCE_SHOWN, finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'served-at-end';

/** Who must recover has, however long that may take, and with everything that it asks for: where an outage may be and no objective is for its length, nobody else asks whether it ever ended. */
export const servedAtEnd: Check = {
  name: NAME,
  kind: 'target',
  question: 'Was every client that must recover served again when the load ended, in all that it asked for?',
  judge: (of) => {
    const { view, scenario } = of;
    if (scenario.expect.outage === 'none') return [finding(NAME, 'skipped', 'the scenario allows no outage')];
    const { mustRecover } = scenario.expect;
    const partly = partlyServed(view, mustRecover).map(({ what, times, sinceMs, lines }) => {
      const message = `${what}: never served again from ${seconds(sinceMs)} on, ${times} times in the midst of a service that was there for all else`;
      return finding(NAME, 'fail', message, lines.slice(0, EVIDENCE_SHOWN));
    });
    if (partly.length > 0) return partly;
    if (scenario.targets.recoveryTimeMs !== null) return [finding(NAME, 'skipped', 'recovery-time says so')];
    return mustRecover.map((vantage) => judgeVantage(of, vantage));
  },
};

function judgeVantage({ view, scenario }: Case, vantage: string): Finding {
  const ms = unservedMs(view, vantage);
  if (ms === null) return finding(NAME, 'inconclusive', `${vantage} sent nothing`);
  const isServed = ms <= Math.min(LAST_SERVICE_MS, LATE_WINDOWS * scenario.workload.sustained.forMs);
  if (isServed) return finding(NAME, 'pass', `${vantage} was served when the load ended`);
  return finding(NAME, 'fail', `${vantage} was not served for ${seconds(ms)} when the load ended, and it must recover`);
}
