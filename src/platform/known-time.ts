/** The clocks of two machines may be so far apart, and both be of use. */
const CLOCKS_APART_MS = 5 * 60_000;
/** No date is later. */
const LAST_MS = 8.64e15;

/** Times of what was made one after the other, as the clocks of who made it had it: none is before the one before it. One that is still to come tells nothing of others. */
export function timesInOrder(timesMs: readonly number[], nowMs: number): readonly number[] {
  let latestMs = Number.NEGATIVE_INFINITY;
  return timesMs.map((timeMs) => {
    if (timeMs <= nowMs) latestMs = Math.max(latestMs, timeMs);
    return Math.max(latestMs, timeMs);
  });
}

/**
 * Times by which each of what was made one after the other was there at the latest: of one whose clock was behind, as one before it tells, the time of the next one of which nothing is wrong, or now. One that is still to come tells nothing of others.
 */
export function timesAtLatest(timesMs: readonly number[], nowMs: number): readonly number[] {
  const inOrder = timesInOrder(timesMs, nowMs);
  const latestMs: number[] = [];
  let nextMs = Math.min(nowMs, LAST_MS);
  for (const [n, timeMs] of [...timesMs.entries()].toReversed()) {
    const isBehind = timeMs < inOrder[n]!;
    latestMs.unshift(isBehind ? nextMs : timeMs);
    if (!isBehind) nextMs = Math.min(nextMs, timeMs);
  }
  return latestMs;
}

/** A wall time that somebody wrote down; null where it is still to come: the clock of who wrote it was wrong, and it tells nothing. */
export function knownTime(atMs: number | null, nowMs: number): number | null {
  return atMs !== null && atMs > nowMs + CLOCKS_APART_MS ? null : atMs;
}
