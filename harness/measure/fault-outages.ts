import { outagesAfter, type Outage } from './outages.ts';
import type { FaultWindow, Operation, RunView } from './view.ts';

/**
 * The outages of a vantage that began under this fault, each until it was over, also when another fault came meanwhile. An operation that was
 * under way when that one came shows what it did, not what this fault did. Null: the vantage sent nothing since the effect.
 */
export function outagesUnder(
  view: RunView,
  { effect, endMs, superseded }: FaultWindow,
  vantage: string,
): readonly Outage<Operation>[] | null {
  const samples = (view.byVantage.get(vantage) ?? []).filter((op) => op.completedMs >= effect.lowerMs && op.intendedMs <= view.loadEndMs);
  if (samples.length === 0) return null;
  const outages = outagesAfter(samples, effect, view.scenario.workload);
  return outages.filter(({ firstBad }) => !superseded || firstBad.completedMs <= endMs);
}
