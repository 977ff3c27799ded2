import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { journalIsOpen, type Arbiter, type Held, type Replication, type Snapshot } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { mayReacquire } from '../failover/fencing.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { describeError, type Log } from '../telemetry/log.ts';
import type { HttpClient } from '../platform/https-client.ts';
import { Serial } from '../platform/serial.ts';
import { Primary } from '../replication/primary.ts';
import type { LogEnd } from '../replication/epochs.ts';
import type { RuleValues } from '../replication/replication-rule.ts';
import { Standby, type StandbyOptions } from '../replication/standby.ts';
import type { AppendReply, AppendRequest } from '../replication/wire.ts';
import type { PromoteRequest } from './control-messages.ts';
import { acquireLease, type HeldLease, type LeaseOptions } from './lease.ts';

/** Between two looks at the arbiter while it is not known whether this region is to be primary. */
const STARTING_LOOK_MS = 100;
const STOPPING = 'stopping';

export interface NodeOptions {
  readonly config: EngineConfig;
  readonly database: Database;
  readonly exportTail: StandbyOptions['exportTail'];
  readonly arbiter: Arbiter;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly onBroken: (error: unknown) => void;
  /** Where this database was restored to, if it was: with just that log it may begin anew when the arbiter is empty. */
  readonly restored?: LogEnd | null;
}

/** This process as primary of one epoch. */
interface Session {
  readonly lease: HeldLease;
  readonly primary: Primary;
  readonly abort: AbortController;
  readonly done: Promise<void>;
  /** Told to stop serving, by a controller or by the lease; it still ships what it has. */
  fenced: boolean;
}

interface Acquiring {
  readonly epoch: number;
  /** Revision of the lease that is replaced. */
  readonly expected: number | null;
  readonly rule: RuleValues;
  /** The commit rule that an earlier epoch left. */
  readonly before: Held<Replication> | null;
  readonly how: string;
}

export type PromoteResult =
  | { readonly kind: 'promoted'; readonly writable: boolean }
  | { readonly kind: 'epoch-passed'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

/** One region's database process: which role it has, and every change of it. Role changes happen one at a time; giving the role up is immediate. */
export class DatabaseNode {
  readonly incarnation = randomUUID();
  readonly standby: Standby;
  readonly #options: NodeOptions;
  readonly #changes = new Serial();
  #session: Session | null = null;
  #starting = true;

  constructor(options: NodeOptions) {
    const { database, exportTail, clock, log } = options;
    this.#options = options;
    this.standby = new Standby({ database, exportTail, clock, log });
  }

  get role(): 'primary' | 'standby' | 'starting' {
    if (this.#session !== null) return 'primary';
    return this.#starting ? 'starting' : 'standby';
  }

  get primary(): Primary | null {
    return this.#session?.primary ?? null;
  }

  get lease(): HeldLease | null {
    return this.#session?.lease ?? null;
  }

  get epoch(): number {
    return this.#session?.lease.epoch ?? this.#options.database.state().sealedEpoch;
  }

  /** Whether reads and writes are served right now. */
  get writable(): boolean {
    return this.#session !== null && this.#session.primary.established && this.#session.lease.isValid();
  }

  /** Looks at the arbiter until the signal aborts and takes the lease where that is this region's to take. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, config, log, onBroken } = this.#options;
    let unavailable = false;
    while (!signal.aborted) {
      if (this.#session === null) {
        try {
          await this.#changes.run(() => this.#look(signal));
          unavailable = false;
        } catch (error) {
          if (signal.aborted) break;
          // Not to be taken for an arbiter that does not answer: a process with a broken disk has to end, or it holds its region for ever.
          if (error instanceof EngineError && error.code === 'database-broken') {
            onBroken(error);
            break;
          }
          if (!unavailable) log.warn('arbiter_unavailable', { error: describeError(error) });
          unavailable = true;
        }
      }
      const pauseMs = this.#starting ? STARTING_LOOK_MS : config.policy.leaseMs;
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    const session = this.#session;
    this.#resign(STOPPING);
    await session?.done;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { arbiter, config, database, log, restored } = this.#options;
    if (this.#session !== null) return;
    const snapshot = await arbiter.read(signal);
    const { log: end, sealedEpoch } = database.state();
    const lease = snapshot.lease;
    if (lease === null) {
      if (config.region !== config.primary_region) this.#starting = false;
      else if (end.index === 0 && sealedEpoch <= 1)
        await this.#acquire(
          { epoch: 1, expected: null, rule: this.#ruleFor(snapshot), before: snapshot.replication, how: 'bootstrap' },
          signal,
        );
      else if (restored?.epoch === end.epoch && restored.index === end.index)
        await this.#acquire(
          {
            epoch: Math.max(sealedEpoch, end.epoch) + 1,
            expected: null,
            rule: this.#ruleFor(snapshot),
            before: snapshot.replication,
            how: 'restored',
          },
          signal,
        );
      else
        log.error('arbiter_empty', {
          reason: 'the arbiter holds no lease, but this database has data; refusing to begin anew',
          sealed_epoch: sealedEpoch,
        });
      return;
    }
    // A promotion whose answer was lost: the controller that leads it asks again.
    const journal = snapshot.failover?.value ?? null;
    if (lease.value.incarnation === this.incarnation && journalIsOpen(journal)) return;
    const reacquisition = mayReacquire(config.region, lease.value, journal);
    if (!reacquisition.may) {
      this.#starting = false;
      return;
    }
    // Every holder seals its epoch on its disk before it takes it. One that has not is an empty or an older disk under the holder's name.
    if (sealedEpoch < lease.value.epoch) {
      if (this.#starting)
        log.error('not_reacquired', {
          lease_epoch: lease.value.epoch,
          sealed_epoch: sealedEpoch,
          reason: 'this disk never held that epoch',
        });
      this.#starting = false;
      return;
    }
    const rule = this.#ruleFor(snapshot);
    await this.#acquire(
      { epoch: reacquisition.epoch, expected: lease.revision, rule, before: snapshot.replication, how: 'reacquired' },
      signal,
    );
  }

  /** The commit rule for an epoch that this region takes by itself: the members of before, without itself. */
  #ruleFor(snapshot: Snapshot): RuleValues {
    const { config } = this.#options;
    const others = Object.keys(config.regions).filter((region) => region !== config.region);
    const before = config.replication === 'sync' ? snapshot.replication?.value.set : undefined;
    return { mode: config.replication, set: (before ?? others).filter((region) => others.includes(region)), w: 1 };
  }

  async #acquire({ epoch, expected, rule, before, how }: Acquiring, signal: AbortSignal): Promise<'held' | 'refused' | 'unknown'> {
    const { database, log } = this.#options;
    await database.seal(epoch);
    const result = await acquireLease(this.#leaseOptions(), epoch, expected, signal);
    if (result.kind !== 'held') return result.kind;
    if (database.state().sealedEpoch > epoch) return 'refused';
    log.info('epoch_acquired', { epoch, how });
    this.#begin(result.lease, rule, before);
    return 'held';
  }

  #leaseOptions(): LeaseOptions {
    const { arbiter, clock, log, config } = this.#options;
    return { arbiter, clock, log, policy: config.policy, region: config.region, incarnation: this.incarnation };
  }

  #begin(lease: HeldLease, rule: RuleValues, before: Held<Replication> | null): void {
    const { database, arbiter, client, clock, log, config, onBroken } = this.#options;
    const abort = new AbortController();
    const standbys = Object.entries(config.regions)
      .filter(([region]) => region !== config.region)
      .map(([region, { database: url }]) => ({ region, url: url.replace(/\/$/, '') }));
    const primary = new Primary({
      database,
      arbiter,
      client,
      clock,
      log,
      policy: config.policy,
      region: config.region,
      epoch: lease.epoch,
      standbys,
      leaseIsValid: () => lease.isValid(),
      // Only the arbiter says who is primary; the next renewal of the lease will tell.
      onEpochPassed: (epoch) => log.debug('epoch_refused', { own: lease.epoch, epoch }),
      onBroken,
    });
    const renewing = lease
      .renew(() => primary.failWaiting('lease-lost', 'the lease ran out before the write was acknowledged'), abort.signal)
      .then(async (refused) => {
        if (refused === null) return;
        const epoch = refused.current?.value.epoch ?? lease.epoch;
        // Taken by a failover and nobody's yet: as fenced. What the log has goes on being shipped, so that a planned target can catch up.
        if (refused.current?.value.holder === null && epoch > lease.epoch) await this.fence(epoch);
        else await this.giveUp(epoch, 'the lease was taken');
      });
    const done = Promise.all([renewing, primary.run(rule, before, abort.signal)]).then(() => undefined);
    done.catch(onBroken);
    this.#session = { lease, primary, abort, done, fenced: false };
    this.#starting = false;
  }

  /** Stops being primary at once; resolves when this is durable (a later process of this region knows it too). */
  async giveUp(epoch: number, reason: string): Promise<void> {
    this.#resign(reason);
    await this.#options.database.seal(epoch);
  }

  #resign(reason: string): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    session.lease.end();
    session.primary.failWaiting('not-primary', 'this region stopped being primary before the write was acknowledged');
    session.abort.abort(new Error(reason));
    if (reason !== STOPPING) this.#options.log.info('demoted', { epoch: session.lease.epoch, reason });
  }

  /** `POST /v1/fence`: nothing is acknowledged any more under epochs below; what the log has goes on being shipped. False when a higher epoch is sealed or held. */
  async fence(epoch: number): Promise<boolean> {
    const { database, log } = this.#options;
    if (database.state().sealedEpoch > epoch || (this.#session !== null && this.#session.lease.epoch > epoch)) return false;
    if (this.#session !== null && this.#session.lease.epoch < epoch && !this.#session.fenced) {
      this.#session.fenced = true;
      this.#session.lease.end();
      this.#session.primary.failWaiting('lease-lost', 'fenced before the write was acknowledged');
      log.warn('self_fenced', { epoch: this.#session.lease.epoch, reason: `fenced by epoch ${epoch}` });
    }
    await database.seal(epoch);
    return true;
  }

  /** `POST /v1/seal`: refuse lower epochs durably, also being primary of one. False when a higher epoch is sealed. */
  async seal(epoch: number): Promise<boolean> {
    const { database, log } = this.#options;
    const { sealedEpoch } = database.state();
    if (sealedEpoch > epoch) return false;
    if (this.#session !== null && this.#session.lease.epoch < epoch) this.#resign(`sealed by epoch ${epoch}`);
    await database.seal(epoch);
    if (sealedEpoch < epoch) log.info('sealed', { epoch, last_index: database.state().log.index, last_epoch: database.state().log.epoch });
    return true;
  }

  /** `POST /v1/promote`: takes the pending lease of the epoch and serves. May be repeated. */
  async promote(request: PromoteRequest, signal: AbortSignal): Promise<PromoteResult> {
    const refused = await this.#changes.run(() => this.#promote(request, signal));
    if (refused !== null) return refused;
    const primary = this.#session?.lease.epoch === request.epoch ? this.#session.primary : null;
    await primary?.untilEstablished(this.#options.config.policy.leaseMs, signal);
    if (primary === null || this.primary !== primary) return { kind: 'epoch-passed', message: `epoch ${request.epoch} was lost again` };
    return { kind: 'promoted', writable: this.writable };
  }

  async #promote({ epoch, mode, set, w, runId }: PromoteRequest, signal: AbortSignal): Promise<PromoteResult | null> {
    const { arbiter, config, database, log } = this.#options;
    if (this.#session?.lease.epoch === epoch) return null;
    if (database.state().sealedEpoch > epoch) return { kind: 'epoch-passed', message: `sealed by epoch ${database.state().sealedEpoch}` };
    if (this.#session !== null) this.#resign(`promoted to epoch ${epoch}`);
    const { lease, replication } = await arbiter.read(signal);
    // Ours already where an earlier try was stored though its answer was lost.
    const ours = lease?.value.holder === config.region && lease.value.incarnation === this.incarnation;
    if (lease === null || lease.value.epoch !== epoch || (lease.value.holder !== null && !ours)) {
      const found = lease === null ? 'there is no lease' : `epoch ${lease.value.epoch} of ${lease.value.holder ?? 'nobody yet'}`;
      return { kind: 'epoch-passed', message: `the lease is not pending in epoch ${epoch}: ${found}` };
    }
    const rule: RuleValues = { mode, set: set.filter((region) => region !== config.region), w };
    const outcome = await this.#acquire({ epoch, expected: lease.revision, rule, before: replication, how: 'promoted' }, signal);
    if (outcome === 'refused') return { kind: 'epoch-passed', message: `the lease of epoch ${epoch} was taken by another` };
    if (outcome === 'unknown') return { kind: 'unknown', message: 'the arbiter did not answer; ask again' };
    log.info('promoted', { epoch, set, mode }, runId);
    return null;
  }

  /** From the primary of some epoch. One above ours ends ours first. */
  async append(request: AppendRequest): Promise<AppendReply> {
    await this.#yieldTo(request.epoch);
    return this.standby.append(request);
  }

  install(stream: Readable): Promise<AppendReply | null> {
    return this.standby.install(stream, (epoch) => this.#yieldTo(epoch));
  }

  async #yieldTo(epoch: number): Promise<void> {
    if (this.#session === null || this.#session.lease.epoch >= epoch) return;
    // Resolves when everything that was being appended here is durable too: only then may it be compared and cut.
    await this.giveUp(epoch, `epoch ${epoch} is served by another region`);
  }
}
