import type { Arbiter, CasResult, Held, Lease } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import { holderRemainingMs } from '../failover/fencing.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';

/** Between two tries of the same renewal whose outcome is unknown. */
const RETRY_MS = 20;

export interface LeaseOptions {
  readonly arbiter: Arbiter;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: Policy;
  readonly region: string;
  readonly incarnation: string;
}

export type AcquireResult =
  | { readonly kind: 'held'; readonly lease: HeldLease }
  | { readonly kind: 'refused'; readonly current: Held<Lease> | null }
  | { readonly kind: 'unknown' };

/** Takes the lease of `epoch` if the record is still at `expected` (null: there is none). Not retried: where the outcome is unknown the caller reads and decides anew. */
export async function acquireLease(
  options: LeaseOptions,
  epoch: number,
  expected: number | null,
  signal: AbortSignal,
): Promise<AcquireResult> {
  const { arbiter, clock, region, incarnation } = options;
  const sentAtMs = clock.monotonicMs();
  const result = await arbiter.cas('lease', expected, { epoch, holder: region, incarnation, seq: 0 }, signal);
  if (result.ok) return { kind: 'held', lease: new HeldLease(options, epoch, { revision: result.revision, sentAtMs }) };
  return result.reason === 'conflict' ? { kind: 'refused', current: result.current } : { kind: 'unknown' };
}

/** The lease of one epoch in the hands of this process. It ends for good when a renewal is refused or `end` is called; when it only runs out, a later renewal may revive it. */
export class HeldLease {
  readonly epoch: number;
  readonly #options: LeaseOptions;
  #revision: number;
  #renewalSentAtMs: number;
  #seq = 0;
  #ended = false;
  #ranOut = false;

  constructor(options: LeaseOptions, epoch: number, renewal: { readonly revision: number; readonly sentAtMs: number }) {
    this.#options = options;
    this.epoch = epoch;
    this.#revision = renewal.revision;
    this.#renewalSentAtMs = renewal.sentAtMs;
  }

  remainingMs(): number {
    return this.#ended ? 0 : holderRemainingMs(this.#renewalSentAtMs, this.#options.clock.monotonicMs(), this.#options.policy);
  }

  isValid(): boolean {
    return this.remainingMs() > 0;
  }

  end(): void {
    this.#ended = true;
  }

  /**
   * Renews until the signal aborts, `end` is called (both: null) or a renewal is refused (what is there instead). `onRanOut` is called each time that the
   * lease runs out; nothing may be acknowledged from then until `isValid` again, which needs no call: the record was not changed by anybody meanwhile.
   */
  async renew(onRanOut: () => void, signal: AbortSignal): Promise<{ readonly current: Held<Lease> | null } | null> {
    const { clock, policy, log } = this.#options;
    const watchdog = setInterval(() => this.#notice(onRanOut), policy.leaseRenewMs / 4);
    try {
      while (!signal.aborted && !this.#ended) {
        // The same renewal until it is decided: the one that is stored may be the first that was sent, so it counts from there.
        const sentAtMs = clock.monotonicMs();
        const result = await this.#decide(onRanOut, signal);
        if (result === null || this.#ended) return null;
        if (!result.ok) {
          this.#ended = true;
          return result.reason === 'conflict' ? { current: result.current } : null;
        }
        this.#seq++;
        this.#revision = result.revision;
        this.#renewalSentAtMs = sentAtMs;
        if (this.#ranOut && this.isValid()) {
          this.#ranOut = false;
          log.info('lease_regained', { epoch: this.epoch });
        }
        await clock.sleep(Math.max(0, sentAtMs + policy.leaseRenewMs - clock.monotonicMs()), signal).catch(() => undefined);
      }
      return null;
    } finally {
      clearInterval(watchdog);
    }
  }

  async #decide(onRanOut: () => void, signal: AbortSignal): Promise<CasResult<Lease> | null> {
    const { arbiter, clock, region, incarnation } = this.#options;
    const next: Lease = { epoch: this.epoch, holder: region, incarnation, seq: this.#seq + 1 };
    while (!signal.aborted && !this.#ended) {
      const result = await arbiter.cas('lease', this.#revision, next, signal);
      if (result.ok || result.reason === 'conflict') return result;
      this.#notice(onRanOut);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
    return null;
  }

  #notice(onRanOut: () => void): void {
    if (this.#ended || this.#ranOut || this.isValid()) return;
    this.#ranOut = true;
    this.#options.log.warn('self_fenced', { epoch: this.epoch, reason: 'the lease could not be renewed in time' });
    onRanOut();
  }
}
