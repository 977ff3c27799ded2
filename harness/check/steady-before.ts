import { isGood, longestGapMs } from '../measure/service.ts';
import { eventsOf } from '../measure/view.ts';
import { finding, type Case, type Check } from './check.ts';

/** Slow operations are noise up to this share; failed ones never are. */
const SLOW_SHARE = 0.05;

/** Whoever measures a recovery must have seen the service well before. */
export const steadyBefore: Check = {
  name: 'steady-before',
  kind: 'assumption',
  question: 'Was the service steady at every vantage before the fault?',
  judge: ({ view, scenario, measurement }: Case) => {
    const fromMs = view.steadyMs;
    const toMs = eventsOf(view.events, 'phase').find((event) => event.phase === 'inject' || event.phase === 'observe')?.atMs;
    if (fromMs === null || toMs === undefined) return [finding('steady-before', 'inconclusive', 'the run never reached a steady state')];
    const findings = measurement.vantages.flatMap(({ vantage }) => {
      const operations = (view.byVantage.get(vantage) ?? []).filter((op) => op.intendedMs >= fromMs && op.completedMs <= toMs);
      const failed = operations.filter((op) => op.outcome !== 'ok');
      const slow = operations.filter((op) => op.outcome === 'ok' && !isGood(op, scenario.workload));
      const gapMs = longestGapMs(operations, fromMs, toMs);
      const told = (problem: string, lines: readonly number[]) => [
        finding('steady-before', 'inconclusive', `${vantage}: ${problem}`, lines),
      ];
      if (gapMs > Math.max(500, scenario.workload.goodWithinMs * 2)) return told(`nothing was sent for ${Math.round(gapMs)} ms`, []);
      if (failed.length > 0)
        return told(
          `${failed.length} of ${operations.length} operations had failed already`,
          failed.map((op) => op.line),
        );
      if (slow.length > SLOW_SHARE * operations.length) {
        return told(
          `${slow.length} of ${operations.length} operations were slow already`,
          slow.map((op) => op.line),
        );
      }
      return [];
    });
    const moved = measurement.reigns.reigns.filter((reign) => reign.firstAckMs < toMs);
    if (moved.length > 1) {
      const way = moved.map((reign) => reign.region).join(' → ');
      const message = `the service had moved already (${way}): the fault did not hit the primary that the scenario speaks of`;
      return [
        finding(
          'steady-before',
          'inconclusive',
          message,
          moved.map((reign) => reign.line),
        ),
        ...findings,
      ];
    }
    if (findings.length > 0) return findings;
    const message = `every operation of ${measurement.vantages.length} vantages succeeded for ${Math.round(toMs - fromMs)} ms before the fault`;
    return [finding('steady-before', 'pass', message)];
  },
};
