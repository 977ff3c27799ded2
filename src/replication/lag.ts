import type { Clock } from '../platform/clock.ts';

const MAX_SAMPLES = 4096;

/** When which index was appended, so that a lag in entries can be told in time. Old samples are forgotten; a lag beyond them is told as that of the oldest. */
export class LagMeter {
  readonly #clock: Clock;
  #samples: { readonly index: number; readonly atMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  appended(index: number): void {
    const atMs = this.#clock.monotonicMs();
    const last = this.#samples.at(-1);
    // One sample a millisecond is enough.
    if (last !== undefined && atMs - last.atMs < 1) return;
    this.#samples.push({ index, atMs });
    if (this.#samples.length > 2 * MAX_SAMPLES) this.#samples = this.#samples.slice(-MAX_SAMPLES);
  }

  /** Age of the oldest entry that somebody who has everything up to `matchIndex` lacks; 0 when nothing. */
  lagMs(matchIndex: number, lastIndex: number): number {
    if (matchIndex >= lastIndex) return 0;
    const at = this.#samples.findLastIndex((sample) => sample.index <= matchIndex + 1);
    const sample = this.#samples[Math.max(0, at)];
    return sample === undefined ? 0 : this.#clock.monotonicMs() - sample.atMs;
  }
}
