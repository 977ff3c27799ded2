import type { ServiceSample } from './service.ts';

/** A client that is later than this share of a period was away since it last looked at its clock, or, where the record does not tell when that was, since the operation before. */
export const AWAY_SINCE_LAST = 0.25;

/**
 * How long the client itself stood still between two instants (it was not scheduled, or its machine slept), by its own schedule: nothing that it stamps in such a time, and no operation that is late by
 * it, tells of the service. It can be seen only where an operation was due, so shorter than a period it may go unseen. Samples in the order of their intended start.
 */
export function clientAway(samples: readonly ServiceSample[], periodMs: number): (fromMs: number, toMs: number) => number {
  const stretches: { fromMs: number; toMs: number }[] = [];
  for (const { intendedMs, lateMs = 0, awakeMs = -Infinity } of samples) {
    if (lateMs === 0) continue;
    // Whoever stood still for longer than a period was late before as well.
    const lastAwakeMs = Math.min(intendedMs, Math.max(intendedMs - periodMs, awakeMs));
    const next = { fromMs: lateMs > AWAY_SINCE_LAST * periodMs ? lastAwakeMs : intendedMs, toMs: intendedMs + lateMs };
    const last = stretches.at(-1);
    if (last === undefined || last.toMs < next.fromMs) stretches.push(next);
    else last.toMs = Math.max(last.toMs, next.toMs);
  }
  let sumMs = 0;
  const untilMs = stretches.map(({ fromMs, toMs }) => (sumMs += toMs - fromMs));
  const awayBefore = (ms: number): number => {
    const index = firstThat(stretches.length, (at) => (stretches[at]?.toMs ?? Infinity) > ms);
    return (untilMs[index - 1] ?? 0) + Math.max(0, ms - (stretches[index]?.fromMs ?? ms));
  };
  return (fromMs, toMs) => Math.max(0, awayBefore(toMs) - awayBefore(fromMs));
}

/** The first index for which it holds, and then for all after it. */
function firstThat(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
