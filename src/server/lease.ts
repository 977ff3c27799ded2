import type { Arbiter, CasResult, Held, Lease, LeaseTimes } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import { holderRemainingMs } from '../failover/fencing.ts';
import type { Clock } from '../platform/clock.ts';
import { DirectLeases } from '../replication/direct-lease.ts';
import type { Log } from '../telemetry/log.ts';

/** Between two tries of the same renewal whose outcome is unknown. */
const RETRY_MS = 20;

/** How long the arbiter is silent before standbys are asked to promise: each append until then costs nothing, and nobody's promotion is held up by a promise that was not needed. */
export function directAfterMs({ leaseRenewMs, arbiterRpcMs }: Pick<Policy, 'leaseRenewMs' | 'arbiterRpcMs'>): number {
  return leaseRenewMs + 2 * arbiterRpcMs;
}

export interface LeaseOptions {
  readonly arbiter: Arbiter;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: Policy;
  readonly region: string;
  readonly incarnation: string;
  /** The other regions of the configuration. */
  readonly others: readonly string[];
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
  const { arbiter, clock, region, incarnation, policy } = options;
  const sentAtMs = clock.monotonicMs();
  const result = await arbiter.cas('lease', expected, { epoch, holder: region, incarnation, seq: 0, times: timesOf(policy) }, signal);
  if (result.ok) return { kind: 'held', lease: new HeldLease(options, epoch, { revision: result.revision, sentAtMs }) };
  return result.reason === 'conflict' ? { kind: 'refused', current: result.current } : { kind: 'unknown' };
}

/** What the lease says of itself: whoever comes next waits for as long as this process believes in it. */
function timesOf({ holderStopsMs, successorWaitsMs }: Policy): LeaseTimes {
  return { holderStopsMs, successorWaitsMs };
}

/**
 * The lease of one epoch in the hands of this process: by the arbiter, and while that is silent by the direct leases of all other regions. It ends for good when a renewal is
 * refused or `end` is called; when it only runs out, a later renewal or promise may revive it: nobody else can have taken it meanwhile without refusing both.
 */
export class HeldLease {
  readonly epoch: number;
  readonly #options: LeaseOptions;
  #revision: number;
  #renewalSentAtMs: number;
  #seq = 0;
  #endedAtMs: number | null = null;
  #told: 'arbiter' | 'standbys' | 'nobody' = 'arbiter';
  readonly direct: DirectLeases;

  constructor(options: LeaseOptions, epoch: number, renewal: { readonly revision: number; readonly sentAtMs: number }) {
    this.#options = options;
    this.epoch = epoch;
    this.#revision = renewal.revision;
    this.#renewalSentAtMs = renewal.sentAtMs;
    this.direct = new DirectLeases(options);
  }

  remainingMs(): number {
    return this.#isEnded ? 0 : Math.max(this.#byArbiterMs(), this.direct.remainingMs());
  }

  #byArbiterMs(): number {
    return holderRemainingMs(this.#renewalSentAtMs, this.#options.clock.monotonicMs(), this.#options.policy);
  }

  /** By whose word it serves. */
  get by(): 'arbiter' | 'standbys' {
    return this.#byArbiterMs() > 0 ? 'arbiter' : 'standbys';
  }

  /** The arbiter has been silent for longer than a busy moment: now is the time to have the standbys' promises before the lease runs out. */
  wantsDirect(): boolean {
    const { policy, clock } = this.#options;
    return !this.#isEnded && clock.monotonicMs() - this.#renewalSentAtMs > directAfterMs(policy);
  }

  isValid(): boolean {
    return this.remainingMs() > 0;
  }

  end(): void {
    this.#endedAtMs ??= this.#options.clock.monotonicMs();
  }

  /** When it ended for good; null as long as it has not, also where it has run out. */
  get endedAtMs(): number | null {
    return this.#endedAtMs;
  }

  get #isEnded(): boolean {
    return this.#endedAtMs !== null;
  }

  /**
   * Renews until the signal aborts, `end` is called (both: null) or a renewal is refused (what is there instead). `onRanOut` is called each time that the
   * lease runs out; nothing may be acknowledged from then until `isValid` again, which needs no call.
   */
  async renew(onRanOut: () => void, signal: AbortSignal): Promise<{ readonly current: Held<Lease> | null } | null> {
    const { clock, policy } = this.#options;
    const watchdog = setInterval(() => this.#notice(onRanOut), policy.leaseRenewMs / 4);
    try {
      while (!signal.aborted && !this.#isEnded) {
        // The same renewal until it is decided: the one that is stored may be the first that was sent, so it counts from there.
        const sentAtMs = clock.monotonicMs();
        const result = await this.#decide(onRanOut, signal);
        if (result === null || this.#isEnded) return null;
        if (!result.ok) {
          this.end();
          return result.reason === 'conflict' ? { current: result.current } : null;
        }
        this.#seq++;
        this.#revision = result.revision;
        this.#renewalSentAtMs = sentAtMs;
        this.#notice(onRanOut);
        await clock.sleep(Math.max(0, sentAtMs + policy.leaseRenewMs - clock.monotonicMs()), signal).catch(() => undefined);
      }
      return null;
    } finally {
      clearInterval(watchdog);
    }
  }

  async #decide(onRanOut: () => void, signal: AbortSignal): Promise<CasResult<Lease> | null> {
    const { arbiter, clock, region, incarnation, policy } = this.#options;
    const next: Lease = { epoch: this.epoch, holder: region, incarnation, seq: this.#seq + 1, times: timesOf(policy) };
    while (!signal.aborted && !this.#isEnded) {
      const result = await arbiter.cas('lease', this.#revision, next, signal);
      if (result.ok || result.reason === 'conflict') return result;
      this.#notice(onRanOut);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
    return null;
  }

  /** Tells by whose word it serves when that changes. */
  #notice(onRanOut: () => void): void {
    if (this.#isEnded) return;
    const by = this.isValid() ? this.by : 'nobody';
    if (by === this.#told) return;
    this.#told = by;
    const { log } = this.#options;
    const { epoch } = this;
    if (by === 'arbiter') log.info('lease_regained', { epoch });
    else if (by === 'standbys')
      log.warn('direct_leases', { epoch, reason: 'the arbiter is silent; every standby promises not to be promoted' });
    else {
      log.warn('self_fenced', { epoch, reason: 'neither the arbiter nor every standby renewed in time' });
      onRanOut();
    }
  }
}
