import type { Clock } from '../platform/clock.ts';

/** So many looks are remembered: of what is further back than these a late operation need not know. */
const REMEMBERED = 32;

/**
 * A client looks at its clock between its operations too, so that of one that is late it can say when it was certainly awake before: what stood still in between is then known to a look, not to
 * a whole period.
 */
export class Looks {
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  readonly #seenMs: number[] = [];

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  /** The last look at or before this instant; undefined when it is further back than what is remembered. */
  lastBefore(ms: number): number | undefined {
    return this.#seenMs.findLast((seenMs) => seenMs <= ms);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#seenMs.push(this.#clock.nowMs());
    if (this.#seenMs.length > REMEMBERED) this.#seenMs.shift();
  }
}
