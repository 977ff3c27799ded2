import { randomUUID } from 'node:crypto';
import type { Database } from 'foundationdb';
import type { Arbiter, Held, Replication } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import { Serial } from '../platform/serial.ts';
import { decideClaim, decidePromotion, othersOf, type Acquiring } from '../server/claim.ts';
import type { PromoteRequest } from '../server/control-messages.ts';
import { acquireLease, type HeldLease } from '../server/lease.ts';
import { describeError, type Log } from '../telemetry/log.ts';
import { fencedBy, type Fenced, type Promoted, type Refused } from './answers.ts';
import { claimantOf } from './claimant.ts';
import { FENCE_TIMEOUT_MS, NO_FENCE, raiseFence } from './fence.ts';
import type { KeySpace } from './key-space.ts';
import { lookAtHome, lookNow, SharedLook, type Look } from './look.ts';
import { openEpoch } from './open-epoch.ts';
import type { PairHome } from './pair-home.ts';
import { TakingOver } from './taking-over.ts';

/** Between two looks while it is not known whether this region is to be primary. */
const LOOK_MS = 100;
export interface GatewayOptions {
  readonly db: Database;
  readonly keys: KeySpace;
  readonly config: EngineConfig;
  readonly arbiter: Arbiter;
  readonly clock: Clock;
  readonly log: Log;
  /** Where its cluster is one of a pair; null, or left out: all regions share it. */
  readonly home?: PairHome | null;
}

interface Session {
  readonly lease: HeldLease;
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** Its epoch is open in the database: from then on it serves while its lease is valid. */
  established: boolean;
}

/**
 * One region's way to a FoundationDB cluster that all regions share. FoundationDB replicates and fails over by itself; what is decided here is which region serves: the one that
 * holds the arbiter's lease, under an epoch that is also fenced in the database itself. Role changes happen one at a time.
 */
export class Gateway {
  readonly incarnation = randomUUID();
  readonly #options: GatewayOptions;
  readonly #changes = new Serial();
  #session: Session | null = null;
  #starting = true;
  /** As last read; it may be older than what is there. */
  #fence = NO_FENCE;
  /** What has come to a copy last, and when that was seen first. */
  #came = { version: -1, atMs: 0 };
  readonly #looks: SharedLook<Look>;
  readonly #takingOver: TakingOver | null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { home = null } = options;
    this.#takingOver = home === null ? null : new TakingOver({ ...options, home, own: options.db, region: options.config.region });
    this.#looks = new SharedLook(() => this.#readFence(), options.clock);
  }

  get role(): 'primary' | 'standby' | 'starting' {
    if (this.#session !== null) return 'primary';
    return this.#starting ? 'starting' : 'standby';
  }

  get epoch(): number {
    return this.#session?.lease.epoch ?? this.#fence.epoch;
  }

  get lease(): HeldLease | null {
    return this.#session?.lease ?? null;
  }

  /** Of a pair the copy has what was acknowledged a moment before; in one database all regions have all of it. */
  get mode(): 'sync' | 'async' {
    return this.#takingOver === null ? 'sync' : 'async';
  }

  /** For how long nothing has come from the primary, where this region has a copy. */
  get silentMs(): number {
    return Math.max(0, Math.round(this.#options.clock.monotonicMs() - this.#came.atMs));
  }

  get writable(): boolean {
    return this.#session !== null && this.#session.established && this.#session.lease.isValid();
  }

  /** Looks at the arbiter until the signal aborts and takes the lease where that is this region's to take. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, config, log } = this.#options;
    let told = '';
    while (!signal.aborted) {
      if (this.#session === null) {
        const undecided = await this.#changes
          .run(() => this.#look(signal))
          .then(
            (why) => (why === null ? null : { why }),
            (error: unknown) => ({ error: describeError(error) }),
          );
        const now = JSON.stringify(undecided);
        if (undecided !== null && now !== told && !signal.aborted) log.warn('not_decided', undecided);
        told = now;
      }
      await clock.sleep(this.#starting ? LOOK_MS : config.policy.leaseMs, signal).catch(() => undefined);
    }
    const session = this.#session;
    this.#resign('stopping');
    await Promise.all([session?.done, this.#takingOver?.stop()]);
  }

  /** The fence as it is now and the version at which that was so; null where the database did not answer within the limit. */
  look(timeoutMs: number): Promise<Look | null> {
    return this.#looks.within(timeoutMs);
  }

  async #readFence(): Promise<Look | null> {
    const { db, keys, clock } = this.#options;
    const look = await (this.#takingOver === null ? lookNow : lookAtHome)(db, keys, FENCE_TIMEOUT_MS);
    if (look === null) return null;
    this.#fence = look.fence;
    if (look.isCopy && look.version !== this.#came.version) this.#came = { version: look.version, atMs: clock.monotonicMs() };
    return look;
  }

  /** What keeps it from being decided, or null. */
  async #look(signal: AbortSignal): Promise<string | null> {
    const { arbiter, config } = this.#options;
    const snapshot = await arbiter.read(signal);
    const look = await this.#readFence();
    if (look === null) return 'FoundationDB does not answer';
    if (look.isCopy) {
      this.#starting = false;
      return null;
    }
    const claim = decideClaim(snapshot, claimantOf(config, { incarnation: this.incarnation, mode: this.mode, fence: look.fence }));
    if (claim.kind === 'acquire') return await this.#acquire(claim.acquiring, signal);
    if (claim.kind === 'follow') this.#starting = false;
    return claim.kind === 'wait' ? null : claim.why;
  }

  /** Fences the epoch, takes its lease and begins; null when it did. */
  async #acquire({ epoch, expected, before, how }: Acquiring, signal: AbortSignal): Promise<string | null> {
    const { db, keys, arbiter, clock, log, config } = this.#options;
    const fenced = await raiseFence(db, keys.fence, epoch, FENCE_TIMEOUT_MS);
    if (fenced.kind !== 'done') return fenced.message;
    if (fenced.value.kind === 'passed') return `passed by epoch ${fenced.value.fence.epoch}`;
    const { policy, region } = config;
    const options = { arbiter, clock, log, policy, region, incarnation: this.incarnation, others: othersOf(config) };
    const result = await acquireLease(options, epoch, expected, signal);
    if (result.kind !== 'held') return result.kind === 'refused' ? 'the lease was taken by another' : 'the arbiter did not answer';
    log.info('epoch_acquired', { epoch, how });
    this.#begin(result.lease, before);
    return null;
  }

  #begin(lease: HeldLease, before: Held<Replication> | null): void {
    const { log } = this.#options;
    const abort = new AbortController();
    const renewing = lease
      .renew(() => undefined, abort.signal)
      .then((refused) => {
        if (refused !== null) this.#resign('the lease was taken');
      });
    const session: Session = {
      lease,
      abort,
      done: Promise.all([renewing, this.#establish(lease, before, abort.signal)]).then(() => undefined),
      established: false,
    };
    session.done.catch((error: unknown) => {
      log.error('session_failed', { epoch: lease.epoch, error: describeError(error) });
      if (this.#session === session) this.#resign('it failed');
    });
    this.#session = session;
    this.#starting = false;
  }

  async #establish(lease: HeldLease, before: Held<Replication> | null, signal: AbortSignal): Promise<void> {
    const opened = await openEpoch({ ...this.#options, mode: this.mode, epoch: lease.epoch, before }, signal);
    if (this.#session?.lease !== lease || opened === null) return;
    this.#fence = opened.fence;
    if (opened.kind === 'passed') return this.#resign(`passed by epoch ${opened.fence.epoch}`);
    this.#session.established = true;
    this.#options.log.info('writable', { epoch: lease.epoch });
  }

  #resign(reason: string): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    session.lease.end();
    session.abort.abort(new Error(reason));
    if (reason !== 'stopping') this.#options.log.info('demoted', { epoch: session.lease.epoch, reason });
  }

  /** `POST /v1/fence`: a primary of a lower epoch stops; nothing is committed under lower epochs any more. */
  async fence(epoch: number): Promise<Fenced> {
    const session = this.#session;
    if (session !== null && session.lease.epoch > epoch)
      return { kind: 'epoch-passed', message: `epoch ${session.lease.epoch} is served here` };
    // At once, whatever the database does: this region acknowledges nothing more.
    if (session !== null && session.lease.epoch < epoch) {
      this.#options.log.warn('self_fenced', { epoch: session.lease.epoch, reason: `fenced by epoch ${epoch}` });
      this.#resign(`fenced by epoch ${epoch}`);
    }
    this.#takingOver?.passedBy(epoch);
    const { db, keys } = this.#options;
    const raised = await raiseFence(db, keys.fence, epoch, FENCE_TIMEOUT_MS);
    if (raised.kind === 'done') this.#fence = raised.value.fence;
    // Of a copy, where nobody commits: what it has is told as it is.
    const look = raised.kind === 'not-done' && raised.reason === 'locked' && this.#takingOver !== null ? await this.#readFence() : null;
    return look?.isCopy === true ? { kind: 'fenced', fence: look.fence, isCopy: true } : fencedBy(raised);
  }

  /** `POST /v1/promote`: takes the pending lease of the epoch and serves. May be repeated. */
  async promote(request: PromoteRequest, signal: AbortSignal): Promise<Promoted> {
    const { clock, config } = this.#options;
    const refused = await this.#changes.run(() => this.#promote(request, signal));
    if (refused !== null) return refused;
    const untilMs = clock.monotonicMs() + config.policy.leaseMs;
    const mine = (): boolean => this.#session?.lease.epoch === request.epoch;
    while (mine() && !this.writable && clock.monotonicMs() < untilMs && !signal.aborted)
      await clock.sleep(5, signal).catch(() => undefined);
    if (!mine()) return { kind: 'epoch-passed', message: `epoch ${request.epoch} was lost again` };
    return { kind: 'promoted', writable: this.writable, fence: this.#fence };
  }

  async #promote(request: PromoteRequest, signal: AbortSignal): Promise<Refused | null> {
    const { arbiter, config, log } = this.#options;
    const { epoch, runId } = request;
    if (this.#session?.lease.epoch === epoch) return null;
    if (this.#session !== null && this.#session.lease.epoch > epoch)
      return { kind: 'epoch-passed', message: `epoch ${this.#session.lease.epoch} is served here` };
    this.#resign(`promoted to epoch ${epoch}`);
    // Whether an epoch was used before the fence in the database tells.
    const self = { region: config.region, incarnation: this.incarnation, end: { epoch: 0, index: 0 }, sealedEpoch: epoch };
    const acquiring = decidePromotion(await arbiter.read(signal), request, self);
    if (typeof acquiring === 'string') return { kind: 'epoch-passed', message: acquiring };
    const inTheWay = (await this.#takingOver?.within(request, config.policy.leaseMs / 2)) ?? null;
    if (inTheWay !== null) return inTheWay;
    const why = await this.#acquire(acquiring, signal);
    if (why !== null) return { kind: 'unavailable', message: why };
    log.info('promoted', { epoch }, runId);
    return null;
  }
}
