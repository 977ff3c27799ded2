import type { Workload } from '../scenario/scenario.ts';
import type { Interval } from './measurement.ts';
import { firstSustained, isGood, type ServiceSample } from './service.ts';

/** A stretch without sustained service. */
export interface Outage<T> {
  /** The fault's effect; for an outage after service had been sustained under the fault, its own beginning. */
  readonly began: Interval;
  readonly firstBad: T;
  readonly lastBad: T;
  readonly firstGood: T | null;
  /** First operation of the next sustained window, and the one that was due before it; null: not back when the load ended. */
  readonly back: { readonly operation: T; readonly before: T } | null;
}

/**
 * Every outage from the fault's effect on. The first counts from the effect, unless service was sustained after the effect and before it:
 * then it is an outage that the fault brought later, and counts from its own first bad operation. Samples by intended start.
 */
export function outagesAfter<T extends ServiceSample>(samples: readonly T[], effect: Interval, workload: Workload): readonly Outage<T>[] {
  const outages: Outage<T>[] = [];
  for (let from = 0; from < samples.length;) {
    const index = samples.findIndex((sample, at) => at >= from && !isGood(sample, workload));
    const firstBad = samples[index];
    if (firstBad === undefined) break;
    const servedBefore = outages.length > 0 || firstSustained(samples.slice(0, index), workload) >= 0;
    const backIndex = firstSustained(samples, workload, index);
    const stretch = samples.slice(index, backIndex < 0 ? undefined : backIndex);
    const [operation, before] = [samples[backIndex], samples[backIndex - 1]];
    outages.push({
      began: servedBefore ? { lowerMs: samples[index - 1]?.intendedMs ?? firstBad.intendedMs, upperMs: firstBad.intendedMs } : effect,
      firstBad,
      lastBad: stretch.findLast((sample) => !isGood(sample, workload)) ?? firstBad,
      firstGood: stretch.find((sample) => isGood(sample, workload)) ?? operation ?? null,
      back: operation === undefined || before === undefined ? null : { operation, before },
    });
    if (backIndex < 0) break;
    from = backIndex;
  }
  return outages;
}
