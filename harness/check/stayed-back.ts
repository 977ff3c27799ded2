import { outagesUnder } from '../measure/fault-outages.ts';
import { faultWindow } from '../measure/view.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'stayed-back';

/**
 * A service that comes back for a moment and goes again, over and over, has no long outage and is still not there: all outages under a
 * fault together must fit the objective.
 */
export const stayedBack: Check = {
  name: NAME,
  kind: 'target',
  question: 'Do all outages under a fault together fit the objective?',
  judge: (of) => {
    const objective = of.scenario.targets.recoveryTimeMs;
    if (objective === null) return [finding(NAME, 'skipped', 'the scenario states no recovery time')];
    const findings = of.view.faults.flatMap(({ fault }) =>
      of.scenario.expect.mustRecover.flatMap((vantage) => judgeOne(of, fault, vantage)),
    );
    return findings.length > 0 ? findings : [finding(NAME, 'pass', 'no vantage had more than one outage under a fault')];
  },
};

function judgeOne({ view, scenario }: Case, name: string, vantage: string): readonly Finding[] {
  const fault = view.faults.find((one) => one.fault === name);
  const window = fault === undefined ? null : faultWindow(view, fault);
  if (window === null) return []; // fault-effective and recovery-time say so
  const outages = outagesUnder(view, window, vantage) ?? [];
  if (outages.length < 2) return [];
  const sum = (of: (one: (typeof outages)[number]) => number): number => outages.reduce((total, one) => total + Math.max(0, of(one)), 0);
  const lowerMs = sum(({ began, back, lastBad }) => (back?.before ?? lastBad).intendedMs - began.upperMs);
  const upperMs = sum(({ began, back }) => (back?.operation.completedMs ?? view.loadEndMs) - began.lowerMs);
  const objective = scenario.targets.recoveryTimeMs ?? 0;
  const outcome = lowerMs > objective ? 'fail' : upperMs <= objective ? 'pass' : 'inconclusive';
  const told = `${vantage}: ${outages.length} outages under ${name}, ${seconds(lowerMs)} to ${seconds(upperMs)} together; the objective is ${seconds(objective)}`;
  return [
    finding(
      NAME,
      outcome,
      told,
      outages.map((one) => one.firstBad.line),
    ),
  ];
}
