import type { Policy } from '../config/policy.ts';
import { holderRemainingMs } from '../failover/fencing.ts';
import type { Clock } from '../platform/clock.ts';

/**
 * Direct leases: what lets a primary go on while the arbiter is silent (ARCHITECTURE §4). Every other region promises it, with the answer to an append, not to be promoted
 * for a while. The arithmetic is that of the lease: the primary counts `holderStopsMs` from *sending* the append, the standby the primary's `successorWaitsMs`, which the append tells, from
 * receiving it; its own where that is longer, or the primary does not tell.
 */
export interface DirectLeaseOptions {
  /** Every other region of the configuration: whoever could be promoted, in the sync set or not. */
  readonly others: readonly string[];
  readonly clock: Clock;
  readonly policy: Pick<Policy, 'holderStopsMs'>;
}

/** The primary's side. */
export class DirectLeases {
  readonly #options: DirectLeaseOptions;
  /** When the append was sent with whose answer each region promised last. */
  readonly #askedAtMs = new Map<string, number>();

  constructor(options: DirectLeaseOptions) {
    this.#options = options;
  }

  promised(region: string, askedAtMs: number): void {
    this.#askedAtMs.set(region, Math.max(this.#askedAtMs.get(region) ?? -Infinity, askedAtMs));
  }

  /** How long every one of them has certainly not been promoted yet; 0 where one of them has not promised. */
  remainingMs(): number {
    const { others, clock, policy } = this.#options;
    const nowMs = clock.monotonicMs();
    const remaining = others.map((region) => holderRemainingMs(this.#askedAtMs.get(region) ?? -Infinity, nowMs, policy));
    return remaining.length === 0 ? 0 : Math.min(...remaining);
  }
}

export interface Promised {
  readonly to: string;
  readonly epoch: number;
  readonly untilMs: number;
}

/** The standby's side: to whom this process has promised not to be promoted, and until when. */
export class Promises {
  readonly #clock: Clock;
  readonly #policy: Pick<Policy, 'successorWaitsMs'>;
  readonly #startedAtMs: number;
  #last: Promised | null = null;

  constructor(clock: Clock, policy: Pick<Policy, 'successorWaitsMs'>) {
    this.#clock = clock;
    this.#policy = policy;
    this.#startedAtMs = clock.monotonicMs();
  }

  /** For how long this process can remember what was promised. */
  get upMs(): number {
    return this.#clock.monotonicMs() - this.#startedAtMs;
  }

  /** To be called where it is certain that no lower epoch than `epoch` is sealed, with no pause between the check and this. */
  promise(to: string, epoch: number, forMs = 0): void {
    const untilMs = this.#clock.monotonicMs() + Math.max(this.#policy.successorWaitsMs, forMs);
    this.#last = { to, epoch, untilMs: Math.max(this.#last?.untilMs ?? 0, untilMs) };
  }

  /** The promise that is in force. */
  current(): Promised | null {
    return this.#last !== null && this.#last.untilMs > this.#clock.monotonicMs() ? this.#last : null;
  }

  /**
   * How long this region must not be promoted. A process before this one may have promised right until this one started, and nobody remembers: for `waitMs`, which is what the
   * holder of the replaced lease asked for.
   */
  boundMs(waitMs = 0): number {
    const startUntilMs = this.#startedAtMs + Math.max(this.#policy.successorWaitsMs, waitMs);
    const untilMs = Math.max(startUntilMs, this.#last?.untilMs ?? 0);
    return Math.max(0, untilMs - this.#clock.monotonicMs());
  }
}
