import { randomBytes } from 'node:crypto';
import type { ControllerStatus } from '../health/controller-status.ts';
import { systemClock, type Clock } from '../platform/clock.ts';

type Paused = NonNullable<ControllerStatus['paused']>;

/** How often an order that lives has its pause told of again. */
export const RENEW_EVERY_MS = 10_000;
/** More than any program that a killed order has left may take, and several renewals that got no answer. */
export const ABANDONED_MS = 90_000;
/** Who looks less often may have missed that no order could renew: nobody led. A status of FoundationDB takes up to 20 s. */
const LOOKS_APART_MS = 30_000;
const ID = / \(order ([0-9a-f]{8})\)$/;

/**
 * One order that changes FoundationDB, as its pauses name it: two that say the same are two still. Whether another one lives is seen by its pause, which it renews; how old that says to be is of another clock, and is not asked.
 */
export class Order {
  readonly clock: Clock;
  readonly #id: string;
  #seen: { readonly why: string; readonly since: string; readonly firstMs: number; readonly lastMs: number } | null = null;

  constructor(clock: Clock = systemClock, id: string = randomBytes(4).toString('hex')) {
    this.clock = clock;
    this.#id = id;
  }

  /** What its pause says. */
  signed(why: string): string {
    return `${why} (order ${this.#id})`;
  }

  hasMade({ why }: Paused): boolean {
    return ID.exec(why)?.[1] === this.#id;
  }

  /** Whether this pause has stood unchanged, at all looks, for so long that whoever made it is gone; ms that are left until then, null where it is none that is renewed. */
  abandonedInMs({ why, since }: Paused): number | null {
    if (!ID.test(why)) return null;
    const [before, nowMs] = [this.#seen, this.clock.monotonicMs()];
    const isSame = before?.why === why && before.since === since && nowMs - before.lastMs <= LOOKS_APART_MS;
    const firstMs = isSame ? before.firstMs : nowMs;
    this.#seen = { why, since, firstMs, lastMs: nowMs };
    return Math.max(0, firstMs + ABANDONED_MS - nowMs);
  }
}
