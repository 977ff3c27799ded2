import type { Clock } from '../platform/clock.ts';

const MAX_SAMPLES = 8192;
/** Between two samples is at most about this part of their age. */
const PARTS = 256;

/** As a lag: nobody knows. */
export const UNKNOWN_LAG_MS = Number.MAX_SAFE_INTEGER;
/** The same in entries: more than any gate lets pass. */
export const UNKNOWN_LAG_ENTRIES = 1e9;

export const entriesText = (entries: number): string => `${entries < UNKNOWN_LAG_ENTRIES ? entries : 'an unknown number of'} entries`;

/** How far a standby is behind, as said to an operator. */
export const behindText = ({ lagEntries, lagMs }: { readonly lagEntries: number; readonly lagMs: number }): string =>
  lagMs < UNKNOWN_LAG_MS ? `${entriesText(lagEntries)}, ${lagMs} ms behind` : 'how far it is behind is not known';

interface Sample {
  readonly index: number;
  readonly atMs: number;
}

/** When which index was appended, so that a lag in entries can be told in time: never as less than it is, since what may be lost is judged by it. The older, the fewer samples are kept. */
export class LagMeter {
  readonly #clock: Clock;
  #samples: Sample[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  appended(index: number): void {
    const atMs = this.#clock.monotonicMs();
    const last = this.#samples.at(-1);
    // One sample a millisecond is enough.
    if (last !== undefined && atMs - last.atMs < 1) return;
    this.#samples.push({ index, atMs });
    if (this.#samples.length > MAX_SAMPLES) this.#samples = thinned(this.#samples, atMs);
  }

  /** Age, at `untilMs`, of the oldest entry that somebody who has everything up to `matchIndex` lacks; 0 when nothing, UNKNOWN_LAG_MS where that entry is from before the first one that was seen here. */
  lagMs(matchIndex: number, lastIndex: number, untilMs: number): number {
    if (matchIndex >= lastIndex) return 0;
    const sample = this.#samples.findLast(({ index }) => index <= matchIndex + 1);
    return sample === undefined ? UNKNOWN_LAG_MS : untilMs - sample.atMs;
  }
}

/** Without those between two that are near each other, for their age; the oldest and the newest stay. */
function thinned(samples: readonly Sample[], nowMs: number): Sample[] {
  const kept: Sample[] = [];
  for (const [i, sample] of samples.entries()) {
    const [before, next] = [kept.at(-1), samples[i + 1]];
    if (before === undefined || next === undefined || next.atMs - before.atMs > (nowMs - next.atMs) / PARTS) kept.push(sample);
  }
  return kept;
}
