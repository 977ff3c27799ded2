import { unsteady } from '../measure/steady.ts';
import { eventsOf, phasesSinceSteady } from '../measure/view.ts';
import { phaseOf } from '../scenario/phase-of.ts';
import type { Step } from '../scenario/scenario.ts';
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
    const toMs = touchedMs(of, first.atMs);
    // Of a long time a little trouble is a small share; what has just gone wrong is much of a short one, and would be counted as recovery.
    const justBefore = of.scenario.targets.recoveryTimeMs === null || toMs - fromMs <= steadyMs ? [] : [[toMs - steadyMs, toMs] as const];
    const spans = [[fromMs, toMs] as const, ...justBefore];
    const problems = [...movedBefore(of, toMs), ...(spans.map((span) => troubles(of, span)).find(({ length }) => length > 0) ?? [])];
    if (problems.length > 0) return problems;
    const { length } = of.measurement.vantages;
    return [finding(NAME, 'pass', `every operation of ${length} vantages succeeded for ${Math.round(toMs - fromMs)} ms before the fault`)];
  },
};

/** Whatever else is done has an effect of its own, which is not for this check. */
const WAITS: readonly Step['do'][] = ['observe', 'mark', 'await-recovery', 'await-backup', 'await-backups'];

/**
 * A method may wait for long before the fault, and somebody looks at all that it is to break, which takes a while: what goes wrong in that time the fault did not do, and a recovery is counted from the fault. So it is
 * until something else is done, or the fault is injected; where none is, until the method begins.
 */
function touchedMs({ view, scenario }: Case, begunMs: number): number {
  const injectedMs = eventsOf(view.events, 'fault-injected').find(({ requestedMs }) => requestedMs >= begunMs)?.requestedMs;
  if (injectedMs === undefined) return begunMs;
  const steps = scenario.method.filter((step) => phaseOf(step) !== null);
  const acting = steps.findIndex((step) => step.do !== 'inject' && !WAITS.includes(step.do));
  return Math.min(injectedMs, acting < 0 ? Infinity : (phasesSinceSteady(view)[acting]?.atMs ?? begunMs));
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
