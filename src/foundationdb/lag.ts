/** What is known of how far the other region is behind. */
export interface Lag {
  readonly generation: number;
  /** Null: not known (nothing was told, or what was told cannot be). */
  readonly seconds: number | null;
  /** Last lag that was believed, and when: what later ones are held against. */
  readonly known: { readonly seconds: number; readonly atMs: number } | null;
}

export interface LagSample {
  readonly generation: number | null;
  readonly seconds: number | null;
  readonly atMs: number;
}

/** Room for clocks and for the sample's own age. */
const SLACK_SECONDS = 5;

/**
 * FoundationDB tells lag as a difference of versions, a million a second. A recovery lets versions jump (1e8 ordinarily, 6e11 when forced), so that right after it a difference of
 * 100 s and more is no lag at all (measured: 100.06 s after a region was added again). Nothing can fall behind faster than time passes: across a change of generation a lag above
 * the last known one plus the time since is not believed. Within a generation what is told counts.
 */
export function noteLag(before: Lag | null, { generation, seconds: told, atMs }: LagSample): Lag | null {
  if (generation === null) return before === null ? null : { ...before, seconds: null };
  const same = before?.generation === generation;
  const known = before?.known ?? null;
  if (told === null || told < -SLACK_SECONDS) return { generation, seconds: null, known };
  // Two logs are asked side by side (updateDatacenterVersionDifference): where the other region answers a moment later it tells the later version. It lacks nothing then, known no better than they differ.
  const seconds = Math.abs(told);
  const doubted = before !== null && (!same || before.seconds === null);
  const atMost = known === null ? SLACK_SECONDS : known.seconds + (atMs - known.atMs) / 1000 + SLACK_SECONDS;
  if (doubted && seconds > atMost) return { generation, seconds: null, known };
  return { generation, seconds, known: { seconds, atMs } };
}
