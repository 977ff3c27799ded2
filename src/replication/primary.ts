import type { Arbiter, Held, Replication } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import type { Database, Operation } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { WireErrorCode } from '../platform/http.ts';
import type { HttpClient } from '../platform/https-client.ts';
import type { Log } from '../telemetry/log.ts';
import { countingMembers, committableIndex } from './commit-rule.ts';
import { LagMeter } from './lag.ts';
import { isSafeToTake, ReplicationRule, type RuleValues } from './replication-rule.ts';
import { Shipper, type DirectLeaseSide } from './shipper.ts';
import { statusOf, type StandbyStatus } from './standby-status.ts';
import { planSetChange, type StandbyView } from './sync-set.ts';

/** While a new primary waits for the first standbys to hold its log. */
const HOLDERS_LOOK_MS = 5;

export type WriteOutcome =
  | { readonly kind: 'committed'; readonly index: number }
  /** Not appended anywhere, and it never will be. */
  | { readonly kind: 'refused'; readonly code: WireErrorCode; readonly message: string }
  /** In the log, but not acknowledged: it may be committed later or never. */
  | { readonly kind: 'unknown'; readonly code: WireErrorCode; readonly message: string };

export interface PrimaryOptions {
  readonly database: Database;
  readonly arbiter: Arbiter;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: Policy;
  readonly region: string;
  readonly epoch: number;
  readonly standbys: readonly { readonly region: string; readonly url: string }[];
  readonly leaseIsValid: () => boolean;
  /** When it ended for good: nothing was acknowledged since. */
  readonly leaseEndedAtMs: () => number | null;
  readonly directLease: DirectLeaseSide;
  /** Somebody has a higher epoch; the owner decides what that means. */
  readonly onEpochPassed: (epoch: number) => void;
  /** The disk failed. */
  readonly onBroken: (error: unknown) => void;
}

interface Waiter {
  readonly index: number;
  readonly end: (outcome: WriteOutcome) => void;
}

/** The primary of one epoch: ships the log, commits by the rule in the arbiter, keeps the sync set. The owner starts it once with `run` and aborts its signal. */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #shippers: readonly Shipper[];
  readonly #rule: ReplicationRule;
  readonly #lag: LagMeter;
  /** Members of the set that a failover would take for members still, though their disks forgot what they had acknowledged, and what they had promised: they count for nothing, and get no copy that would hide it, until they are out of the set. */
  readonly #forgetful = new Set<string>();
  #waiting: Waiter[] = [];
  /** First entry of this epoch; null until the noop is appended. */
  #firstIndex: number | null = null;
  readonly #established = Promise.withResolvers<void>();
  #isEstablished = false;

  constructor(options: PrimaryOptions) {
    const { database, arbiter, client, clock, log, policy, region, epoch } = options;
    this.#options = options;
    this.#lag = new LagMeter(clock);
    this.#rule = new ReplicationRule({
      arbiter,
      clock,
      log,
      epoch,
      onDecided: () => {
        for (const member of this.#forgetful) if (!this.#rule.current.set.includes(member)) this.#forgetful.delete(member);
        this.#advance();
      },
      onEpochPassed: options.onEpochPassed,
    });
    this.#shippers = options.standbys.map(
      (standby) =>
        new Shipper({
          database,
          client,
          clock,
          log,
          policy,
          region,
          epoch,
          standby,
          directLease: options.directLease,
          onForgot: () => this.#forgot(standby.region),
          mayFill: () => !this.#forgetful.has(standby.region),
          onAcknowledged: () => this.#advance(),
          onEpochPassed: options.onEpochPassed,
        }),
    );
  }

  /**
   * Writes the noop, ships, brings its own commit rule into force as soon as that is safe, and goes on until the signal aborts; then every waiting write ends
   * unknown. `before` is the record that an earlier epoch left.
   */
  async run(first: RuleValues, before: Held<Replication> | null, signal: AbortSignal): Promise<void> {
    const { clock, policy } = this.#options;
    try {
      const working = [...this.#shippers.map((shipper) => shipper.run(signal)), this.#takeRule(first, before, signal)];
      this.#append('noop', '', '');
      while (!signal.aborted) {
        await clock.sleep(policy.probePeriodMs / 2, signal).catch(() => undefined);
        this.#tick(signal);
      }
      await Promise.all(working);
    } finally {
      this.failWaiting('not-primary', 'this region stopped being primary before the write was acknowledged');
    }
  }

  async #takeRule(first: RuleValues, before: Held<Replication> | null, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const holders = this.#shippers
        .filter(({ matchIndex }) => this.#firstIndex !== null && matchIndex >= this.#firstIndex)
        .map(({ region }) => region);
      // Whoever has caught up may be a member, also where those who were asked for are gone.
      const next = { ...first, set: [...new Set([...first.set, ...holders])] };
      if (isSafeToTake(before?.value ?? null, next, holders)) {
        await this.#rule.take(next, before?.revision ?? null, signal);
        return;
      }
      await this.#options.clock.sleep(HOLDERS_LOOK_MS, signal).catch(() => undefined);
    }
  }

  /** Whether the noop of this epoch is committed: from then on everything acknowledged in earlier epochs is known to be committed too. */
  get established(): boolean {
    return this.#isEstablished;
  }

  /** Resolves when it is, or after `limitMs`. */
  async untilEstablished(limitMs: number, signal: AbortSignal): Promise<void> {
    await Promise.race([this.#established.promise, this.#options.clock.sleep(limitMs, signal).catch(() => undefined)]);
  }

  /** Appends and waits until the write is committed and the lease still valid, at most `limitMs`. */
  async write(op: Operation, key: string, value: string, limitMs: number): Promise<WriteOutcome> {
    const { clock, leaseIsValid } = this.#options;
    const until = clock.monotonicMs() + limitMs;
    // Without a standby that could acknowledge, the write waits outside the log: if nobody comes, it was certainly not applied.
    while (!this.#canCommit()) {
      if (clock.monotonicMs() >= until) return refused('no-sync-standby', 'no standby of the sync set answers; writes wait');
      await clock.sleep(this.#options.policy.probePeriodMs / 4);
    }
    if (!leaseIsValid()) return refused('lease-lost', 'the lease is over');
    if (this.#waiting.length >= this.#options.policy.maxWaitingWrites) return refused('overloaded', 'too many writes are waiting');
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiter) => waiter !== own);
        resolve({ kind: 'unknown', code: 'timeout', message: `not committed within ${limitMs} ms` });
      }, until - clock.monotonicMs());
      const end = (outcome: WriteOutcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      const own: Waiter = { index: this.#append(op, key, value), end };
      this.#waiting.push(own);
    });
  }

  /** Ends every waiting write: it is in the log and not acknowledged. */
  failWaiting(code: WireErrorCode, message: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { end } of waiting) end({ kind: 'unknown', code, message });
  }

  get rule(): RuleValues {
    return this.#rule.current;
  }

  standbys(): Readonly<Record<string, StandbyStatus>> {
    const { database, clock, policy, leaseEndedAtMs } = this.#options;
    // What was begun before and is not acknowledged any more would lag for ever.
    const untilMs = leaseEndedAtMs() ?? clock.monotonicMs();
    const how = { lag: this.#lag, untilMs, dropAfterMs: policy.syncDropAfterMs };
    return Object.fromEntries(this.#views().map((view) => [view.region, statusOf(view, database.state(), this.#rule.current, how)]));
  }

  #views(): readonly StandbyView[] {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#shippers.map((shipper) => {
      const { region, matchIndex } = shipper;
      return { region, matchIndex, ageMs: shipper.ageMs(nowMs), forgot: this.#forgetful.has(region) };
    });
  }

  #append(op: Operation, key: string, value: string): number {
    const { database, epoch, onBroken } = this.#options;
    const index = database.state().log.index + 1;
    this.#firstIndex ??= index;
    this.#lag.appended(index);
    // Shipped while it is being made durable here: the commit rule waits for both.
    database.append([{ epoch, index, op, key, value }]).then(() => this.#advance(), onBroken);
    for (const shipper of this.#shippers) shipper.wake();
    return index;
  }

  #canCommit(): boolean {
    const rule = this.#rule.state;
    if (rule.mode === 'async') return true;
    const nowMs = this.#options.clock.monotonicMs();
    const counting = this.#counting();
    const live = this.#shippers.filter(
      (shipper) => counting.includes(shipper.region) && shipper.ageMs(nowMs) < this.#options.policy.syncDropAfterMs,
    );
    return live.length >= rule.w;
  }

  #counting(): readonly string[] {
    return countingMembers(this.#rule.state).filter((region) => !this.#forgetful.has(region));
  }

  /** Before the noop is committed nobody's set changes; nothing was acknowledged with its help either. */
  #forgot(region: string): void {
    const { mode, set } = this.#rule.current;
    if (this.established && mode === 'sync' && set.includes(region)) this.#forgetful.add(region);
  }

  /** Commits what the rule allows and acknowledges it, as long as the lease is valid. */
  #advance(): void {
    const { database, leaseIsValid, log, epoch } = this.#options;
    if (this.#firstIndex === null || !this.#rule.decided || !leaseIsValid()) return;
    const index = committableIndex({
      rule: this.#rule.state,
      durableIndex: database.state().durableIndex,
      epochFirstIndex: this.#firstIndex,
      matchIndex: new Map(this.#shippers.map(({ region, matchIndex }) => [region, this.#forgetful.has(region) ? 0 : matchIndex])),
    });
    if (index === null) return;
    database.commit(index);
    const done = this.#waiting.findIndex((waiter) => waiter.index > index);
    const acknowledged = done < 0 ? this.#waiting : this.#waiting.slice(0, done);
    this.#waiting = done < 0 ? [] : this.#waiting.slice(done);
    for (const waiter of acknowledged) waiter.end({ kind: 'committed', index: waiter.index });
    if (this.#isEstablished) return;
    this.#isEstablished = true;
    this.#established.resolve();
    log.info('writable', { epoch, index, set: this.#rule.current.set, mode: this.#rule.current.mode });
  }

  #tick(signal: AbortSignal): void {
    const { database, policy } = this.#options;
    this.#advance();
    // Before the noop is committed it is not known how much was acknowledged in earlier epochs, and so not who holds all of it.
    if (!this.established || !this.#options.leaseIsValid()) return;
    const { log, commitIndex } = database.state();
    const change = planSetChange(this.#rule.state, this.#views(), { commitIndex, lastIndex: log.index }, policy);
    // A change that is refused or undecided is the rule's to follow up.
    if (change !== null) void this.#rule.propose(change, signal);
  }
}

function refused(code: WireErrorCode, message: string): WriteOutcome {
  return { kind: 'refused', code, message };
}
