/** The clocks of two machines may be so far apart, and both be of use. */
const CLOCKS_APART_MS = 5 * 60_000;

/** Times of what was made one after the other, as the clocks of who made it had it: none is before the one before it. One that is still to come tells nothing of others. */
export function timesInOrder(timesMs: readonly number[], nowMs: number): readonly number[] {
  let latestMs = Number.NEGATIVE_INFINITY;
  return timesMs.map((timeMs) => {
    if (timeMs <= nowMs) latestMs = Math.max(latestMs, timeMs);
    return Math.max(latestMs, timeMs);
  });
}

/** A wall time that somebody wrote down; null where it is still to come: the clock of who wrote it was wrong, and it tells nothing. */
export function knownTime(atMs: number | null, nowMs: number): number | null {
  return atMs !== null && atMs > nowMs + CLOCKS_APART_MS ? null : atMs;
}
