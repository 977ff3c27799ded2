/** The clocks of two machines may be so far apart, and both be of use. */
const CLOCKS_APART_MS = 5 * 60_000;

/** A wall time that somebody wrote down; null where it is still to come: the clock of who wrote it was wrong, and it tells nothing. */
export function knownTime(atMs: number | null, nowMs: number): number | null {
  return atMs !== null && atMs > nowMs + CLOCKS_APART_MS ? null : atMs;
}
