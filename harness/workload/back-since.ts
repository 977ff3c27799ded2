import { firstSustained, isGood, type ServiceSample } from '../measure/service.ts';
import type { Workload } from '../scenario/scenario.ts';

export interface Sustained {
  readonly fromMs: number;
  /** Service must have been bad since fromMs first: an outage that is expected may take a moment to show. */
  readonly afterOutage: boolean;
}

/** Whether service that began at or after fromMs is sustained, by what has been answered so far. Samples in any order. */
export function backSince(samples: readonly ServiceSample[], { fromMs, afterOutage }: Sustained, workload: Workload): boolean {
  const since = samples.filter((sample) => sample.intendedMs >= fromMs).toSorted((a, b) => a.intendedMs - b.intendedMs);
  const firstBad = since.findIndex((sample) => !isGood(sample, workload));
  if (afterOutage && firstBad < 0) return false;
  return firstSustained(since, workload, Math.max(0, firstBad)) >= 0;
}

/**
 * The same service for longer than the judge asks: a load that ends with the first window may be judged to have none, since of two operations that were due together either may be the window's first.
 */
export function withMargin(workload: Workload): Workload {
  const { operations, forMs } = workload.sustained;
  return { ...workload, sustained: { operations: operations + 1, forMs: forMs + workload.goodWithinMs } };
}
