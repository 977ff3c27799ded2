import type { Arbiter, LeaseRecord } from './arbiter.ts';
import type { Policy } from './config.ts';
import { nowMs, type Log } from './log.ts';
import { Turns, pause } from './wait.ts';

/**
 * The right to be primary under one epoch. Valid until `holderStopsMs` after *sending* the last successful renewal; over for good
 * when the record is no longer ours.
 */
export class Lease {
  readonly record: LeaseRecord;
  readonly #arbiter: Arbiter;
  readonly #policy: Policy;
  readonly #say: Log;
  readonly #turns = new Turns();
  #seq: number;
  #revision: number;
  #sentMs: number;
  #over = false;
  #said = false;

  /** `sentMs`: when the request that won the lease was sent. */
  constructor(
    arbiter: Arbiter,
    policy: Policy,
    say: Log,
    won: { readonly record: LeaseRecord; readonly revision: number; readonly sentMs: number },
  ) {
    this.#arbiter = arbiter;
    this.#policy = policy;
    this.#say = say;
    this.record = won.record;
    this.#seq = won.record.seq;
    this.#revision = won.revision;
    this.#sentMs = won.sentMs;
  }

  get remainingMs(): number {
    return this.#over ? 0 : Math.max(0, this.#sentMs + this.#policy.holderStopsMs - nowMs());
  }
  get valid(): boolean {
    return this.remainingMs > 0;
  }

  /** Ends it at once and for good. */
  giveUp(reason: string): void {
    this.#over = true;
    this.#sayFenced(reason);
  }

  /** Performs a write to the arbiter that holds only while the lease record is ours; never at the same time as a renewal. */
  guarded<T>(act: (guard: { readonly name: 'lease'; readonly revision: number }) => Promise<T>): Promise<T> {
    return this.#turns.take(() => act({ name: 'lease', revision: this.#revision }));
  }

  /** Renews until the signal aborts or the lease is over. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#over) {
      await pause(Math.min(this.#policy.leaseRenewMs, Math.max(20, this.remainingMs)), signal);
      if (signal.aborted) return;
      if (!this.valid) this.#sayFenced('the lease was not renewed in time');
      try {
        await this.#turns.take(() => this.#renew());
      } catch {
        // No member of the arbiter answered: undecided. The next round tries again; validity runs out by itself.
      }
    }
  }

  async #renew(): Promise<void> {
    const sentMs = nowMs();
    const revision = await this.#arbiter.swap('lease', { ...this.record, seq: this.#seq + 1 }, this.#revision);
    if (revision !== null) {
      this.#seq++;
      this.#won(revision, sentMs);
      return;
    }
    const now = await this.#arbiter.read('lease');
    const { epoch, holder, incarnation } = this.record;
    const ours = now.value?.epoch === epoch && now.value.holder === holder && now.value.incarnation === incarnation;
    if (!ours) return this.giveUp('the lease record is no longer ours');
    // An earlier renewal that we took for undecided was done. It gives no time: only its sending would.
    this.#seq = now.value?.seq ?? this.#seq;
    this.#revision = now.revision;
  }

  #won(revision: number, sentMs: number): void {
    this.#revision = revision;
    this.#sentMs = sentMs;
    this.#said = false;
  }

  #sayFenced(reason: string): void {
    if (this.#said) return;
    this.#said = true;
    this.#say('self_fenced', { epoch: this.record.epoch, reason }, 'warn');
  }
}
