import { unservedMs } from '../measure/brown-out.ts';
import { partlyServed } from '../measure/partly-served.ts';
import { eventsOf } from '../measure/view.ts';
import { LAST_SERVICE_MS } from '../scenario/last-service.ts';
import { LATE_WINDOWS } from './brown-out.ts';
import { clientsHit } from './clients-hit.ts';
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
    const { mustRecover, outage } = scenario.expect;
    const partly = partlyServed(view, mustRecover).map(({ what, times, sinceMs, lines }) => {
      const message = `${what}: never served again from ${seconds(sinceMs)} on, ${times} times in the midst of a service that was there for all else`;
      return finding(NAME, 'fail', message, lines.slice(0, EVIDENCE_SHOWN));
    });
    if (partly.length > 0) return partly;
    if (outage === 'none') return [finding(NAME, 'skipped', 'the scenario allows no outage')];
    const judged =
      scenario.targets.recoveryTimeMs === null
        ? mustRecover.map((vantage) => judgeVantage(of, vantage))
        : [finding(NAME, 'skipped', 'recovery-time says so')];
    return [...judged, ...unservedWitnesses(of)];
  },
};

/** Who need not recover is told of where every fault was healed long before: nobody waits for them at the end of the load, so they do not count. */
function unservedWitnesses({ view, scenario }: Case): readonly Finding[] {
  const healedMs = eventsOf(view.events, 'fault-healed').map(({ acknowledgedMs }) => acknowledgedMs);
  if (healedMs.length < view.faults.length) return [];
  const sinceMs = view.loadEndMs - Math.max(view.steadyMs ?? 0, ...healedMs);
  const hit = clientsHit(view);
  return view.started.vantages.flatMap((vantage) => {
    const ms = scenario.expect.mustRecover.includes(vantage) || hit.has(vantage) ? 0 : (unservedMs(view, vantage) ?? 0);
    if (ms <= LAST_SERVICE_MS || sinceMs <= LAST_SERVICE_MS) return [];
    const message = `${vantage}, which need not recover, was not served for ${seconds(ms)} when the load ended; every fault had been healed ${seconds(sinceMs)} before`;
    return [finding(NAME, 'warn', message)];
  });
}

function judgeVantage({ view, scenario }: Case, vantage: string): Finding {
  const ms = unservedMs(view, vantage);
  if (ms === null) return finding(NAME, 'inconclusive', `${vantage} sent nothing`);
  const isServed = ms <= Math.min(LAST_SERVICE_MS, LATE_WINDOWS * scenario.workload.sustained.forMs);
  if (isServed) return finding(NAME, 'pass', `${vantage} was served when the load ended`);
  return finding(NAME, 'fail', `${vantage} was not served for ${seconds(ms)} when the load ended, and it must recover`);
}
