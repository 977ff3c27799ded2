import { unsteady } from '../measure/steady.ts';
import { eventsOf } from '../measure/view.ts';
import { finding, TIMER_EARLY_MS, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'steady-before';

/** Whoever measures a recovery must have seen the service well before, and where the scenario believes it to be. */
export const steadyBefore: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Was the service steady at every vantage before the fault?',
  judge: (of) => {
    const fromMs = of.view.steadyMs;
    const toMs = eventsOf(of.view.events, 'phase').find((event) => event.phase === 'inject' || event.phase === 'observe')?.atMs;
    if (fromMs === null || toMs === undefined) return [finding(NAME, 'inconclusive', 'the run never reached a steady state')];
    const { steadyMs } = of.scenario;
    if (toMs - fromMs < steadyMs - TIMER_EARLY_MS)
      return [finding(NAME, 'inconclusive', `steady for ${Math.round(toMs - fromMs)} ms only, of ${steadyMs}`)];
    const problems = [...movedBefore(of, toMs), ...troubles(of, [fromMs, toMs])];
    if (problems.length > 0) return problems;
    const { length } = of.measurement.vantages;
    return [finding(NAME, 'pass', `every operation of ${length} vantages succeeded for ${Math.round(toMs - fromMs)} ms before the fault`)];
  },
};

function movedBefore({ measurement }: Case, toMs: number): readonly Finding[] {
  const before = measurement.reigns.reigns.filter((reign) => reign.firstAckMs < toMs);
  if (before.length < 2) return [];
  const way = before.map((reign) => reign.region).join(' → ');
  const lines = before.map((reign) => reign.line);
  const message = `the service had moved already (${way}): the fault did not hit the primary that the scenario speaks of`;
  return [finding(NAME, 'inconclusive', message, lines)];
}

function troubles({ view, scenario, measurement }: Case, span: readonly [number, number]): readonly Finding[] {
  return measurement.vantages.flatMap(({ vantage }) => {
    const trouble = unsteady(view.byVantage.get(vantage) ?? [], span, scenario.workload);
    if (trouble === null) return [];
    const lines = trouble.bad.map((op) => op.line);
    return [finding(NAME, 'inconclusive', `${vantage}, before the fault: ${trouble.problem}`, lines)];
  });
}
