import type { Leader } from '../arbiter/arbiter.ts';
import { TOLERANCE } from './cause.ts';
import { Violation } from './violation.ts';

/** Nobody takes the leadership of a controller that goes on renewing it: only one whose record has stood still for `leaderTakeoverMs`. */
export class Tenure {
  readonly #leaderTakeoverMs: number;
  #changedAtMs = 0;

  constructor(leaderTakeoverMs: number) {
    this.#leaderTakeoverMs = leaderTakeoverMs;
  }

  /** The record was changed by a controller of the region `by`: renewed, handed over to another region, or claimed. */
  stored(by: string, after: Leader, before: Leader | null, nowMs: number): void {
    const stoodMs = nowMs - this.#changedAtMs;
    this.#changedAtMs = nowMs;
    const claimed = before !== null && after.incarnation !== before.incarnation && after.region === by;
    if (claimed && stoodMs < this.#leaderTakeoverMs * TOLERANCE)
      throw new Violation(
        'a-leader-is-given-its-time',
        `${by} took the leadership of ${before.region}, which wrote ${Math.round(stoodMs)} ms ago`,
      );
  }
}
