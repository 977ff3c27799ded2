import type { Leader } from '../arbiter/arbiter.ts';
import { TOLERANCE } from './tolerance.ts';
import { Violation } from './violation.ts';

/** Nobody takes the leadership of a controller that goes on renewing it: only one whose record has stood still for `leaderTakeoverMs`. Who leads may hand it over, to one that answers. */
export class Tenure {
  readonly #leaderTakeoverMs: number;
  #changedAtMs = 0;
  /** When who leads now was named, or took it. */
  sinceMs = 0;

  constructor(leaderTakeoverMs: number) {
    this.#leaderTakeoverMs = leaderTakeoverMs;
  }

  /** The record was changed by a controller of the region `by`: renewed, handed over to another region, or claimed. */
  stored(by: string, after: Leader, before: Leader | null, nowMs: number): void {
    const stoodMs = nowMs - this.#changedAtMs;
    this.#changedAtMs = nowMs;
    if (after.incarnation !== before?.incarnation) this.sinceMs = nowMs;
    if (before === null || after.incarnation === before.incarnation || stoodMs >= this.#leaderTakeoverMs * TOLERANCE) return;
    const handedOver = before.region === by && after.region !== by;
    if (!handedOver)
      throw new Violation(
        'a-leader-is-given-its-time',
        `${by} took the leadership of ${before.region}, which wrote ${Math.round(stoodMs)} ms ago`,
      );
  }

  /** A controller of the region `by` asks the arbiter to name this one. `answered`: whether it has lately given `by` its vote. */
  names(by: string, named: Leader, answered: boolean): void {
    if (named.region === by || answered) return;
    throw new Violation('a-leader-names-who-answers', `${by} hands the leadership over to ${named.region}, which did not answer it lately`);
  }
}
