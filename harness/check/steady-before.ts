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
    const first = eventsOf(of.view.events, 'phase').find((event) => event.phase === 'inject' || event.phase === 'observe');
    if (fromMs === null || first === undefined) return [finding(NAME, 'inconclusive', 'the run never reached a steady state')];
    const { steadyMs } = of.scenario;
    if (first.atMs - fromMs < steadyMs - TIMER_EARLY_MS)
      return [finding(NAME, 'inconclusive', `steady for ${Math.round(first.atMs - fromMs)} ms only, of ${steadyMs}`)];
    const toMs = first.phase === 'inject' ? injectedMs(of, first.atMs) : first.atMs;
    const problems = [...movedBefore(of, toMs), ...troubles(of, [fromMs, toMs])];
    if (problems.length > 0) return problems;
    const { length } = of.measurement.vantages;
    return [finding(NAME, 'pass', `every operation of ${length} vantages succeeded for ${Math.round(toMs - fromMs)} ms before the fault`)];
  },
};

/** Before a fault is injected somebody looks at all that it is to break, which takes a while: what goes wrong in that time the fault did not do. */
function injectedMs({ view }: Case, sinceMs: number): number {
  return eventsOf(view.events, 'fault-injected').find(({ requestedMs }) => requestedMs >= sinceMs)?.requestedMs ?? sinceMs;
}

function movedBefore({ view, measurement }: Case, toMs: number): readonly Finding[] {
  const before = measurement.reigns.reigns.filter((reign) => reign.firstAckMs < toMs);
  const { primaryRegion } = view.started;
  // It may have moved before any client was there to see it.
  const elsewhere = primaryRegion !== undefined && before[0] !== undefined && before[0].region !== primaryRegion;
  if (before.length < 2 && !elsewhere) return [];
  const way = [...(elsewhere ? [primaryRegion] : []), ...before.map((reign) => reign.region)].join(' → ');
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
