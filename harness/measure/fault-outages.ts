import type { Workload } from '../scenario/scenario.ts';
import { outagesAfter, type Outage } from './outages.ts';
import { isGood } from './service.ts';
import type { FaultWindow, Operation, RunView } from './view.ts';

/**
 * The outages of a vantage that began under this fault, each until it was over, also when another fault came meanwhile. What was under way when that
 * one came, and might still have been good, shows what it did, not what this fault did. Null: the vantage sent nothing since the effect.
 */
export function outagesUnder(
  view: RunView,
  { askedMs, effect, endMs, superseded }: FaultWindow,
  vantage: string,
): readonly Outage<Operation>[] | null {
  const { workload } = view.scenario;
  const sent = (view.byVantage.get(vantage) ?? []).filter((op) => op.completedMs >= askedMs && op.intendedMs <= view.loadEndMs);
  // The probes watch a part of what a fault breaks, and a cluster breaks it bit by bit: who was not served any more says so too.
  const bad = sent.find((op) => op.intendedMs >= askedMs && !isGood(op, workload) && badByMs(op, workload) < effect.lowerMs);
  const lowerMs = Math.min(effect.lowerMs, bad?.intendedMs ?? Infinity);
  const samples = sent.filter((op) => op.completedMs >= lowerMs);
  if (samples.length === 0) return null;
  const outages = outagesAfter(samples, { ...effect, lowerMs }, workload);
  if (!superseded) return outages;
  const badBefore = samples.filter((op) => !isGood(op, workload) && badByMs(op, workload) <= endMs);
  return outages.filter(({ firstBad, lastBad }) =>
    badBefore.some(({ intendedMs }) => intendedMs >= firstBad.intendedMs && intendedMs <= lastBad.intendedMs),
  );
}

/** Of a bad operation: from then on nothing could make it good, however long it went on. */
function badByMs({ intendedMs, completedMs }: Operation, { goodWithinMs }: Workload): number {
  return Math.min(completedMs, intendedMs + goodWithinMs);
}
