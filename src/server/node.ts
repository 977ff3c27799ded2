import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Held, Lease, Replication } from '../arbiter/arbiter.ts';
import { EngineError } from '../platform/errors.ts';
import { describeError } from '../telemetry/log.ts';
import { Serial } from '../platform/serial.ts';
import { Promises } from '../replication/direct-lease.ts';
import type { Primary } from '../replication/primary.ts';
import type { RuleValues } from '../replication/replication-rule.ts';
import { Standby, type StandbyOptions } from '../replication/standby.ts';
import type { AppendReply, AppendRequest } from '../replication/wire.ts';
import { claimantOf, decideClaim, decidePromotion, othersOf, type Acquiring, type Claimant } from './claim.ts';
import type { PromoteRequest } from './control-messages.ts';
import { acquireLease, type HeldLease, type LeaseOptions } from './lease.ts';
import type { RestoredEnd } from './restored.ts';
import { beginSession, type Session, type SessionOptions } from './session.ts';

/** Between two looks at the arbiter while it is not known whether this region is to be primary. */
const STARTING_LOOK_MS = 100;
const STOPPING = 'stopping';

export interface NodeOptions extends SessionOptions {
  readonly exportTail: StandbyOptions['exportTail'];
  /** Where this database was restored to, if it was: with just that log it may begin anew when the arbiter is empty. */
  readonly restored?: RestoredEnd | null;
}

export type PromoteResult =
  | { readonly kind: 'promoted'; readonly writable: boolean }
  | { readonly kind: 'epoch-passed'; readonly message: string }
  /** Bound by a promise to another primary for a while: ask again. */
  | { readonly kind: 'bound'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

/** One region's database process: which role it has, and every change of it. Role changes happen one at a time; giving the role up is immediate. */
export class DatabaseNode {
  readonly incarnation = randomUUID();
  readonly standby: Standby;
  readonly promises: Promises;
  readonly #options: NodeOptions;
  readonly #changes = new Serial();
  #session: Session | null = null;
  #starting = true;

  constructor(options: NodeOptions) {
    const { database, exportTail, clock, log, config } = options;
    this.#options = options;
    this.promises = new Promises(clock, config.policy);
    this.standby = new Standby({ database, exportTail, clock, log, promises: this.promises });
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
    const { arbiter, database, log } = this.#options;
    if (this.#session !== null) return;
    // As it was before: a log that goes on meanwhile may have entries of an epoch that was taken after the snapshot.
    const { log: end } = database.state();
    const snapshot = await arbiter.read(signal);
    const self = { ...this.#claimant(), end };
    const claim = decideClaim(snapshot, self);
    switch (claim.kind) {
      case 'acquire':
        await this.#acquire(claim.acquiring, signal);
        return;
      case 'wait':
        return;
      case 'refuse':
        log.error('arbiter_empty', { reason: claim.why, sealed_epoch: self.sealedEpoch });
        return;
      case 'follow':
        if (this.#starting && claim.why !== null)
          log.error('not_reacquired', { lease_epoch: snapshot.lease?.value.epoch, sealed_epoch: self.sealedEpoch, reason: claim.why });
        this.#starting = false;
        return;
      default:
        throw new RangeError(`claim ${JSON.stringify(claim satisfies never)}`);
    }
  }

  #claimant(): Claimant {
    const { config, database, restored } = this.#options;
    return claimantOf(config, { incarnation: this.incarnation, state: database.state(), restored: restored ?? null });
  }

  async #acquire(
    { epoch, expected, rule, before, how, waitMs }: Acquiring,
    signal: AbortSignal,
  ): Promise<'held' | 'refused' | 'unknown' | 'bound'> {
    const { database, log } = this.#options;
    await database.seal(epoch);
    // After the seal, which ends all promising to lower epochs. Who held the last epoch itself was bound to nobody when it took it, and has promised nobody since.
    if ((how === 'promoted' || how === 'restored') && this.promises.boundMs(waitMs) > 0) return 'bound';
    const result = await acquireLease(this.#leaseOptions(), epoch, expected, signal);
    if (result.kind !== 'held') return result.kind;
    if (database.state().sealedEpoch > epoch) return 'refused';
    log.info('epoch_acquired', { epoch, how });
    this.#begin(result.lease, rule, before);
    return 'held';
  }

  #leaseOptions(): LeaseOptions {
    const { arbiter, clock, log, config } = this.#options;
    const { region, policy } = config;
    return { arbiter, clock, log, policy, region, incarnation: this.incarnation, others: othersOf(config) };
  }

  #begin(lease: HeldLease, rule: RuleValues, before: Held<Replication> | null): void {
    const onRefused = async (current: Held<Lease> | null): Promise<void> => {
      const epoch = current?.value.epoch ?? lease.epoch;
      // Taken by a failover and nobody's yet: as fenced. What the log has goes on being shipped, so that a planned target can catch up.
      if (current?.value.holder === null && epoch > lease.epoch) await this.fence(epoch);
      else await this.giveUp(epoch, 'the lease was taken');
    };
    this.#session = beginSession({ lease, rule, before, onRefused }, this.#options);
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

  async #promote(request: PromoteRequest, signal: AbortSignal): Promise<PromoteResult | null> {
    const { epoch, mode, set, runId } = request;
    const { arbiter, database, log } = this.#options;
    if (this.#session?.lease.epoch === epoch) return null;
    if (database.state().sealedEpoch > epoch) return { kind: 'epoch-passed', message: `sealed by epoch ${database.state().sealedEpoch}` };
    if (this.#session !== null) this.#resign(`promoted to epoch ${epoch}`);
    const acquiring = decidePromotion(await arbiter.read(signal), request, this.#claimant());
    if (typeof acquiring === 'string') return { kind: 'epoch-passed', message: acquiring };
    const outcome = await this.#acquire(acquiring, signal);
    if (outcome === 'refused') return { kind: 'epoch-passed', message: `the lease of epoch ${epoch} was taken by another` };
    if (outcome === 'bound')
      return { kind: 'bound', message: `bound for ${Math.ceil(this.promises.boundMs(acquiring.waitMs))} ms more by a direct lease` };
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
