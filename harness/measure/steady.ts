import type { Workload } from '../scenario/scenario.ts';
import { isGood, longestGapMs, type ServiceSample } from './service.ts';

/** Slow operations are noise up to this share; failed ones never are. */
const SLOW_SHARE = 0.05;
/** A client that is silent for so long, in multiples of what is good, was itself stalled. */
const SILENT = 2;

export interface Unsteady<T> {
  readonly problem: string;
  readonly bad: readonly T[];
}

/** Why the service was not steady for one vantage between the two instants; null when it was. Samples in the order of their intended start. */
export function unsteady<T extends ServiceSample>(
  samples: readonly T[],
  [fromMs, toMs]: readonly [number, number],
  workload: Workload,
): Unsteady<T> | null {
  const within = samples.filter((sample) => sample.intendedMs >= fromMs && sample.completedMs <= toMs);
  const failed = within.filter((sample) => sample.outcome !== 'ok');
  // Whatever becomes of them later: by then they were late.
  const hanging = samples.filter(
    ({ intendedMs, completedMs }) => intendedMs >= fromMs && intendedMs + workload.goodWithinMs < toMs && completedMs > toMs,
  );
  const slow = [...within.filter((sample) => sample.outcome === 'ok' && !isGood(sample, workload)), ...hanging];
  const due = within.length + hanging.length;
  const gapMs = longestGapMs(within, fromMs, toMs);
  if (gapMs > SILENT * Math.max(250, workload.goodWithinMs))
    return { problem: `nothing was answered for ${Math.round(gapMs)} ms`, bad: [] };
  if (due === 0) return { problem: 'no operation was due', bad: [] };
  if (failed.length > 0) return { problem: `${failed.length} of ${within.length} operations failed`, bad: failed };
  if (slow.length > SLOW_SHARE * due) return { problem: `${slow.length} of ${due} operations were slow`, bad: slow };
  return null;
}
