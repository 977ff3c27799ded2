import { brownOutLimit } from '../measure/brown-out.ts';
import type { BrownOut } from '../measure/measurement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { EVIDENCE_SHOWN, finding, seconds, type Check } from './check.ts';
import type { FindingOutcome } from './verdict.ts';

const NAME = 'brown-out';
/** Too late until the end of the load is no service after so many sustained windows, whatever the limit; a few at the very end are told only. */
export const LATE_WINDOWS = 2;

/** Answers that come, but too late, are no service: where none may go away, nobody may be kept waiting for long either. */
export const brownOut: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did answers come in time where the scenario allows no outage?',
  judge: ({ view, scenario, measurement }) => {
    const limit = brownOutLimit(scenario);
    if (limit === null) return [finding(NAME, 'skipped', 'the scenario allows an outage')];
    const asked = `the limit is ${seconds(limit.ms)}${limit.stated ? '' : ' (by default)'}`;
    return scenario.expect.mustRecover.map((vantage) => {
      const sent = (view.byVantage.get(vantage) ?? []).some((op) => op.intendedMs >= (view.steadyMs ?? 0));
      if (!sent) return finding(NAME, 'inconclusive', `${vantage} sent nothing`);
      const worst = measurement.brownOuts.find((one) => one.vantage === vantage);
      if (worst === undefined) return finding(NAME, 'pass', `${vantage}: every answer came in time; ${asked}`);
      return finding(NAME, outcomeOf(worst, limit.ms, scenario), `${textOf(worst)}; ${asked}`, worst.lines.slice(0, EVIDENCE_SHOWN));
    });
  },
};

function outcomeOf({ lowerMs, upperMs, unfinishedMs }: BrownOut, limitMs: number, { workload }: Scenario): FindingOutcome {
  if (lowerMs > limitMs || unfinishedMs > LATE_WINDOWS * workload.sustained.forMs) return 'fail';
  return upperMs > limitMs ? 'inconclusive' : 'pass';
}

function textOf({ vantage, lowerMs, upperMs, stretches, fromMs, toMs, unfinishedMs }: BrownOut): string {
  const often = stretches === 1 ? '' : `, ${stretches} times within a minute`;
  const end = unfinishedMs === 0 ? '' : `, and for ${seconds(unfinishedMs)} when the load ended`;
  const bounds = `${(lowerMs / 1000).toFixed(3)} to ${seconds(upperMs)}`;
  return `${vantage}: answers came too late for ${bounds} (from ${seconds(fromMs)} to ${seconds(toMs)}${often}${end})`;
}
