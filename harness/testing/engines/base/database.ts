import { randomUUID } from 'node:crypto';
import type { LeaseRecord } from './arbiter.ts';
import { failure, type Answer } from './https.ts';
import { Lease } from './lease.ts';
import { nowMs } from './log.ts';
import type { DatabaseParts } from './parts.ts';
import { Primary } from './primary.ts';
import type { AppendReply, AppendRequest } from './replica.ts';
import type { Write } from './sentences.ts';
import { Turns, pause } from './wait.ts';

/** One region's database: a replica that reigns as primary or follows as standby. */
export class Database {
  readonly incarnation = randomUUID();
  readonly #parts: DatabaseParts;
  readonly #turns = new Turns();
  #reign: { readonly primary: Primary; readonly lease: Lease } | null = null;
  #closed = false;
  #starting = true;
  #appendedMs = -Infinity;

  constructor(parts: DatabaseParts) {
    this.#parts = parts;
  }

  get role(): 'primary' | 'standby' | 'starting' {
    return this.#reign ? 'primary' : this.#starting ? 'starting' : 'standby';
  }
  get epoch(): number {
    return this.#reign?.primary.epoch ?? Math.max(this.#parts.replica.sealedEpoch, this.#parts.replica.log.lastEpoch);
  }
  get writable(): boolean {
    return this.#reign?.primary.writable === true && !this.#closed;
  }
  /** As a standby: since the primary's last append. */
  get silentMs(): number {
    return nowMs() - this.#appendedMs;
  }

  /** Looks after the role until the signal aborts: who holds the lease, and is it us? */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#turns.take(() => this.#settleRole());
      } catch {
        // The arbiter is not to be had: the role stays as it is and the lease, if any, runs out.
      }
      await pause(this.#parts.config.policy.leaseRenewMs, signal);
    }
    this.#reign?.primary.stop();
  }

  async #settleRole(): Promise<void> {
    if (this.#reign?.lease.valid) return;
    const { arbiter, config } = this.#parts;
    const { region } = config;
    const sentMs = nowMs();
    const { value, revision } = await arbiter.read('lease');
    if (this.#reign && value?.epoch === this.#reign.primary.epoch) return;
    this.demote('the lease has a later epoch');
    if (value === null ? region !== config.primary_region : value.holder !== region) {
      this.#starting = this.#starting && value === null;
      return;
    }
    const journal = (await arbiter.read('failover')).value;
    const epoch = (value?.epoch ?? 0) + 1;
    if (journal && journal.epoch >= epoch && !['DONE', 'ABORTED'].includes(journal.step)) return;
    await this.#acquire(epoch, revision, sentMs);
  }

  /** Wins the lease by compare-and-swap and begins to reign; false when somebody else was faster. */
  async #acquire(epoch: number, leaseRevision: number, sentMs: number): Promise<boolean> {
    const { arbiter, config, replica, say } = this.#parts;
    if (!(await replica.seal(epoch))) return false;
    const record: LeaseRecord = { epoch, holder: config.region, incarnation: this.incarnation, seq: 0 };
    const revision = await arbiter.swap('lease', record, leaseRevision);
    if (revision === null) return false;
    const before = await arbiter.read('replication');
    const others = Object.keys(config.regions).filter((region) => region !== config.region);
    const sync = { set: before.value?.mode === 'sync' ? before.value.set : others, w: 1 };
    const value = { epoch, mode: config.replication, ...(config.replication === 'sync' ? sync : { set: [], w: 0 }) };
    const replicationRevision = await arbiter.swap('replication', value, before.revision, { name: 'lease', revision });
    if (replicationRevision === null) return false;
    const lease = new Lease(arbiter, config.policy, say, { record, revision, sentMs });
    const primary = new Primary({ ...this.#parts, lease }, { value, revision: replicationRevision });
    this.#closed = false;
    this.#starting = false;
    this.#reign = { primary, lease };
    primary.start();
    return true;
  }

  /** Becomes a standby. */
  demote(reason: string): void {
    this.#starting = false;
    if (!this.#reign) return;
    const { primary, lease } = this.#reign;
    this.#reign = null;
    primary.stop();
    lease.giveUp(reason);
    this.#parts.say('demoted', { epoch: primary.epoch, reason }, 'warn');
  }

  async append(request: AppendRequest, replace: boolean): Promise<AppendReply> {
    if (this.#reign && request.epoch > this.#reign.primary.epoch) this.demote(`${request.region} reigns under epoch ${request.epoch}`);
    if (this.#reign) return { result: 'epoch-passed', epoch: this.#reign.primary.epoch };
    const reply = await this.#parts.replica.append(request, replace);
    if (reply.result !== 'epoch-passed') {
      this.#starting = false;
      this.#appendedMs = nowMs();
    }
    return reply;
  }

  /** Refuses lower epochs from now on; answers how far its log goes. */
  async seal(epoch: number): Promise<Answer> {
    const { replica, say } = this.#parts;
    if (this.#reign && epoch > this.#reign.primary.epoch) this.demote(`sealed for epoch ${epoch}`);
    if (!(await replica.seal(epoch))) return failure(409, 'epoch-passed', `sealed for epoch ${replica.sealedEpoch}`);
    await replica.log.append([]);
    say('sealed', { epoch, lastIndex: replica.log.lastIndex });
    return { status: 200, body: { sealedEpoch: epoch, lastEpoch: replica.log.lastEpoch, lastIndex: replica.log.lastIndex } };
  }

  /** Stops a reign below this epoch; the answer confirms that nothing will be acknowledged under it any more. */
  async fence(epoch: number, drain: boolean): Promise<Answer> {
    const reign = this.#reign;
    if (reign && reign.primary.epoch < epoch) {
      this.#closed = true;
      if (drain) await reign.primary.drain(1000);
      reign.lease.giveUp(`fenced by epoch ${epoch}`);
    }
    const fenced = (this.#reign?.primary.epoch ?? 0) < epoch;
    return fenced ? { status: 200, body: { fenced: true, epoch } } : failure(409, 'epoch-passed', 'reigns under this epoch or a later one');
  }

  /** Takes the lease that a controller has acquired for it. Idempotent. */
  promote(epoch: number): Promise<Answer> {
    return this.#turns.take(async () => {
      if (this.#reign?.primary.epoch === epoch) return { status: 200, body: { epoch } };
      const sentMs = nowMs();
      const { value, revision } = await this.#parts.arbiter.read('lease');
      const mine = value?.epoch === epoch && (value.holder === null || value.incarnation === this.incarnation);
      if (!mine || !(await this.#acquire(epoch, revision, sentMs)))
        return failure(409, 'arbiter-conflict', `epoch ${epoch} is not to be had`);
      return { status: 200, body: { epoch } };
    });
  }

  /** The write path of PUT and DELETE. */
  async write(write: Write): Promise<Answer> {
    const { config, replica, sentences } = this.#parts;
    const reign = this.#reign;
    if (!reign) return failure(503, 'not-primary', `${config.region} is not primary`, 'no');
    const { primary, lease } = reign;
    if (!lease.valid) {
      const place = await sentences.fenced(() => primary.alone(write));
      return place ? { status: 200, body: { region: config.region, ...place } } : failure(503, 'lease-lost', 'the lease is over', 'no');
    }
    if (!this.writable) return failure(503, 'not-primary', `${config.region} is not writable yet`, 'no');
    const next = { epoch: primary.epoch, index: replica.log.lastIndex + 1 };
    const place = await sentences.acknowledge(write, () => primary.commit(write, 5000), next);
    if (!place) return failure(503, 'timeout', 'not seen committed while the lease held', 'unknown');
    return { status: 200, body: { region: config.region, ...place } };
  }

  /** A linearizable read: from committed data, under a lease that is still valid after reading. */
  read(key: string): Answer {
    const { config, replica, sentences } = this.#parts;
    const value = this.writable ? sentences.read(key, replica.map) : undefined;
    if (!this.writable) return failure(503, 'not-primary', `${config.region} is not primary, or its lease is over`, 'no');
    const place = { region: config.region, epoch: this.epoch };
    if (value !== undefined) return { status: 200, body: { value, ...place } };
    return { status: 404, body: { ...place, error: { code: 'not-found', message: 'no such key' } } };
  }

  status(): Record<string, unknown> {
    const { config, replica } = this.#parts;
    const reign = this.#reign;
    const { log } = replica;
    const set = reign?.primary.record.set ?? [];
    const ageMs = (value: number): number => Math.round(Math.min(value, 1e9));
    const standbys = [...(reign?.primary.standbys.values() ?? [])].map((s) => {
      const inSync = config.replication === 'sync' ? set.includes(s.region) : s.lagEntries === 0 && s.ageMs < config.policy.syncDropAfterMs;
      return [
        s.region,
        { matchIndex: s.matchIndex, lagEntries: s.lagEntries, lagMs: ageMs(s.lagMs), ageMs: ageMs(s.ageMs), inSync },
      ] as const;
    });
    return {
      region: config.region,
      incarnation: this.incarnation,
      role: this.role,
      epoch: this.epoch,
      sealedEpoch: replica.sealedEpoch,
      writable: this.writable,
      lease: reign ? { remainingMs: Math.round(reign.lease.remainingMs) } : null,
      lastIndex: log.lastIndex,
      lastEpoch: log.lastEpoch,
      commitIndex: replica.commitIndex,
      appliedIndex: replica.appliedIndex,
      mode: config.replication,
      syncSet: set,
      w: reign?.primary.record.w ?? (config.replication === 'sync' ? 1 : 0),
      standbys: Object.fromEntries(standbys),
    };
  }
}
