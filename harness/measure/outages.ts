import type { Workload } from '../scenario/scenario.ts';
import { clientAway } from './client-away.ts';
import type { Interval } from './measurement.ts';
import { firstSustained, isGood, type ServiceSample } from './service.ts';

/** A stretch without sustained service. */
export interface Outage<T> {
  /** The fault's effect; for an outage after service had been sustained under the fault, its own beginning. */
  readonly began: Interval;
  readonly firstBad: T;
  readonly lastBad: T;
  readonly firstGood: T | null;
  /** null: not back when the load ended. */
  readonly back: Return<T> | null;
}

/** The end of an outage, and what is in doubt about it. */
export interface Return<T> {
  /** First operation of the next sustained window. */
  readonly operation: T;
  /** The last one that was certainly bad: those between were late, or had no answer in time, perhaps only by what the client itself stood still. */
  readonly before: T;
  /** How long the client stood still from when `before` was due. */
  readonly clientAwayMs: number;
  /** How long the operation took at least, as far as the client was awake; 0 where it may have been another, whose answer nobody saw come. */
  readonly tookMs: number;
}

/**
 * Every outage from the fault's effect on. The first counts from the effect, unless service was sustained after the effect, for certain, and before it:
 * then it is an outage that the fault brought later, and counts from its own first bad operation. Samples by intended start.
 */
export function outagesAfter<T extends ServiceSample>(samples: readonly T[], effect: Interval, workload: Workload): readonly Outage<T>[] {
  const outages: Outage<T>[] = [];
  const begun = firstAt(samples, 0, ({ intendedMs }) => intendedMs >= effect.upperMs);
  for (let from = 0; from < samples.length;) {
    const index = firstAt(samples, from, (sample) => !isGood(sample, workload));
    const firstBad = samples[index];
    if (firstBad === undefined) break;
    const servedBefore = outages.length > 0 || (begun >= 0 && firstSustained(samples.slice(0, index), workload, begun) >= 0);
    const backIndex = firstSustained(samples, workload, index);
    const stretch = samples.slice(index, backIndex < 0 ? undefined : backIndex);
    outages.push({
      began: servedBefore ? { lowerMs: samples[index - 1]?.intendedMs ?? firstBad.intendedMs, upperMs: firstBad.intendedMs } : effect,
      firstBad,
      lastBad: stretch.findLast((sample) => !isGood(sample, workload)) ?? firstBad,
      firstGood: stretch.find((sample) => isGood(sample, workload)) ?? samples[backIndex] ?? null,
      back: backIndex < 0 ? null : returnOf(samples, { firstBad: index, back: backIndex }, workload),
    });
    if (backIndex < 0) break;
    from = backIndex;
  }
  return outages;
}

/** findIndex from an index on: an hour has hundreds of outages, each of which would look at all that was before. */
function firstAt<T>(samples: readonly T[], from: number, holds: (sample: T) => boolean): number {
  for (let index = from; index < samples.length; index++) {
    const sample = samples[index];
    if (sample !== undefined && holds(sample)) return index;
  }
  return -1;
}

/** Answers that came, or would have come, in time, had the client been awake: whether there was service then is not known. */
function returnOf<T extends ServiceSample>(
  samples: readonly T[],
  at: { readonly firstBad: number; readonly back: number },
  workload: Workload,
): Return<T> | null {
  const operation = samples[at.back];
  if (operation === undefined) return null;
  // It is what was due afterwards that tells whether the client slept while this one was answered.
  const untilMs = operation.completedMs + workload.periodMs;
  const end = firstAt(samples, at.back, ({ intendedMs }) => intendedMs > untilMs);
  const away = clientAway(samples.slice(at.firstBad, end < 0 ? undefined : end), workload.periodMs);
  const inDoubt = (sample: T): boolean => mayHaveBeenGood(sample, away(sample.intendedMs, sample.completedMs), workload);
  let first = at.back;
  for (let index = at.back - 1; index > at.firstBad; index--) {
    const sample = samples[index];
    if (sample === undefined) break;
    // Good ones before one in doubt may have been the beginning of the window.
    if (!inDoubt(sample) && (first === at.back || !isGood(sample, workload))) break;
    first = index;
  }
  const before = samples[first - 1];
  if (before === undefined) return null;
  const clientAwayMs = away(before.intendedMs, operation.completedMs);
  const tookMs = operation.completedMs - operation.intendedMs - away(operation.intendedMs, operation.completedMs);
  return { operation, before, clientAwayMs, tookMs: first === at.back ? Math.max(0, tookMs) : 0 };
}

/** One that was too late for nothing but what the client itself stood still of it. */
export function mayHaveBeenGood(sample: ServiceSample, awayMs: number, { goodWithinMs }: Workload): boolean {
  const tookMs = sample.completedMs - sample.intendedMs;
  return endedByTheClock(sample) && tookMs > goodWithinMs && tookMs - awayMs <= goodWithinMs;
}

/** Late, or no answer in time: what a client that stands still cannot tell from its own sleep. */
function endedByTheClock({ outcome, reason = '' }: ServiceSample): boolean {
  return outcome === 'ok' || reason.includes('timeout');
}
