import type { Clock } from '../../platform/clock.ts';

const MOST = 10_000;

/** When versions were over, by what was seen of the database as it went on. */
export class WallTimes {
  readonly #clock: Clock;
  readonly #seen: { readonly version: number; readonly wallMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A version that was read a moment ago: all up to it was committed by now. */
  saw(version: number): void {
    const last = this.#seen.at(-1);
    if (last !== undefined && version <= last.version) return;
    this.#seen.push({ version, wallMs: this.#clock.wall().getTime() });
    if (this.#seen.length > MOST) this.#seen.shift();
  }

  /** A time by which all up to the version was committed, as early as is known. */
  of(version: number): number {
    return this.#seen.find((seen) => seen.version >= version)?.wallMs ?? this.#clock.wall().getTime();
  }
}
