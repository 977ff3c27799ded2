import type { ReplicationRecord } from './arbiter.ts';
import { nowMs } from './log.ts';
import type { PrimaryParts } from './parts.ts';
import type { Acknowledged, Place, Write } from './sentences.ts';
import { Standby } from './standby.ts';
import { Bell, pause } from './wait.ts';

/** One reign: from winning the lease under an epoch until it is stopped. Ships the log, decides what is committed, keeps the sync set. */
export class Primary {
  readonly epoch: number;
  readonly standbys: ReadonlyMap<string, Standby>;
  readonly #parts: PrimaryParts;
  readonly #end = new AbortController();
  readonly #appended = new Bell();
  readonly #committed = new Bell();
  readonly #advanced = new Bell();
  #record: ReplicationRecord;
  #revision: number;
  /** Members that count for a commit: while a change of the set is undecided, only those of both. */
  #countable: readonly string[];
  #undecided = false;
  /**
   * We come from the set that a failover froze. It stands, with us in it, until a new one can replace it whose members hold our noop and so
   * everything before it; until then nothing is committed. Were it replaced at once, a second loss could promote a standby that lacks writes.
   */
  #opening: boolean;
  #firstIndex = Infinity;

  /** `replication` is the record as it stands in the arbiter for this epoch. */
  constructor(parts: PrimaryParts, replication: { readonly value: ReplicationRecord; readonly revision: number }) {
    this.#parts = parts;
    this.epoch = parts.lease.record.epoch;
    this.#record = replication.value;
    this.#revision = replication.revision;
    this.#countable = replication.value.set;
    this.#opening = replication.value.set.includes(parts.config.region);
    const others = Object.keys(parts.config.regions).filter((region) => region !== parts.config.region);
    this.standbys = new Map(others.map((region) => [region, new Standby(region, this.epoch, parts, this.#appended)]));
  }

  get record(): ReplicationRecord {
    return this.#record;
  }
  /** Its noop is committed and its lease valid: it may serve. */
  get writable(): boolean {
    return this.#parts.replica.commitIndex >= this.#firstIndex && this.#parts.lease.valid && !this.#end.signal.aborted;
  }

  /** Begins to reign; what it started ends with stop(). */
  start(): void {
    const { signal } = this.#end;
    void this.#parts.lease.keep(signal);
    for (const standby of this.standbys.values()) void standby.ship(signal, () => this.#advance());
    void this.#keepSet(signal);
    void this.#open(signal);
  }

  stop(): void {
    this.#end.abort();
    this.#committed.ring();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const place = await this.#append({ op: 'noop', key: '', value: '' });
    this.#firstIndex = place.index;
    this.#advanced.ring();
    while (this.#parts.replica.commitIndex < place.index && !signal.aborted) await this.#committed.wait(1000, signal);
    if (!signal.aborted) this.#parts.say('writable', { epoch: this.epoch, index: place.index });
  }

  /** Appends and waits until committed: the place, or undefined when that was not seen while the lease held. */
  async commit(write: Write, timeoutMs: number): Promise<Acknowledged> {
    const { replica, lease } = this.#parts;
    const { signal } = this.#end;
    const deadlineMs = nowMs() + timeoutMs;
    const place = await this.#append(write);
    while (replica.commitIndex < place.index && !signal.aborted && lease.valid && nowMs() < deadlineMs) {
      await this.#committed.wait(Math.min(deadlineMs - nowMs(), lease.remainingMs) + 1, signal);
    }
    return replica.commitIndex >= place.index && !signal.aborted && lease.valid ? place : undefined;
  }

  /** Stops when everything is on every member, or after timeoutMs: the end of a planned reign. */
  async drain(timeoutMs: number): Promise<void> {
    const deadlineMs = nowMs() + timeoutMs;
    const behind = (): boolean => this.#record.set.some((r) => (this.standbys.get(r)?.matchIndex ?? 0) < this.#parts.replica.log.lastIndex);
    while (behind() && nowMs() < deadlineMs) await pause(10, this.#end.signal);
  }

  /** To the own log only, as if there were no standby and no lease. */
  async alone(write: Write): Promise<Place> {
    const place = await this.#append(write);
    this.#parts.replica.commit(place.index);
    return place;
  }

  async #append(write: Omit<Write, 'op'> & { readonly op: Write['op'] | 'noop' }): Promise<Place> {
    const { log } = this.#parts.replica;
    const place = { epoch: this.epoch, index: log.lastIndex + 1 };
    const durable = log.append([{ ...place, ...write }]);
    this.#appended.ring();
    await durable;
    this.#advance();
    return place;
  }

  #advance(): void {
    const { replica } = this.#parts;
    const { log } = replica;
    if (this.#opening) this.#advanced.ring();
    if (this.#end.signal.aborted || this.#opening) return;
    const matches = this.#countable.map((region) => this.standbys.get(region)?.matchIndex ?? 0).sort((a, b) => b - a);
    const held = this.#record.mode === 'async' ? Infinity : (matches[this.#record.w - 1] ?? 0);
    const index = Math.min(log.durableIndex, held);
    if (index <= replica.commitIndex || log.epochAt(index) !== this.epoch) return;
    replica.commit(index);
    this.#committed.ring();
  }

  async #keepSet(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#record.mode === 'sync') {
      await (this.#opening ? this.#advanced.wait(100, signal) : pause(100, signal));
      const set = this.#opening ? this.#holdersOfNoop() : this.#wanted();
      if (signal.aborted || !this.#parts.lease.valid || set.length < this.#record.w) continue;
      if (set.join() === this.#record.set.join() && !this.#undecided) continue;
      this.#countable = this.#countable.filter((region) => set.includes(region));
      this.#undecided = true;
      try {
        await this.#changeSet(set);
      } catch {
        // Only members of both sets count until a later write to this record has settled it.
      }
      this.#advance();
    }
  }

  #holdersOfNoop(): readonly string[] {
    return [...this.standbys.values()].filter((standby) => standby.matchIndex >= this.#firstIndex).map((standby) => standby.region);
  }

  /** Without one silent member whom the others can do without, or with one that has caught up. */
  #wanted(): readonly string[] {
    const { replica, config } = this.#parts;
    const { set } = this.#record;
    const current = (region: string): boolean => (this.standbys.get(region)?.matchIndex ?? 0) >= replica.commitIndex;
    const silent = (region: string): boolean => (this.standbys.get(region)?.ageMs ?? Infinity) > config.policy.syncDropAfterMs;
    const drop = set.find(
      (region) => silent(region) && set.length > 1 && set.every((other) => other === region || (current(other) && !silent(other))),
    );
    if (drop !== undefined) return set.filter((region) => region !== drop);
    const add = [...this.standbys.keys()].find((region) => !set.includes(region) && current(region) && !silent(region));
    return add === undefined ? set : [...set, add];
  }

  async #changeSet(set: readonly string[]): Promise<void> {
    const { arbiter, lease, say } = this.#parts;
    const value = { ...this.#record, set };
    const revision = await lease.guarded((guard) => arbiter.swap('replication', value, this.#revision, guard));
    const now = revision === null ? await arbiter.read('replication') : { value, revision };
    if (now.value?.epoch !== this.epoch) return lease.giveUp('the sync set belongs to another epoch');
    const changed = now.value.set.join() !== this.#record.set.join();
    this.#record = now.value;
    this.#revision = now.revision;
    this.#countable = now.value.set;
    this.#undecided = false;
    this.#opening = now.value.set.includes(this.#parts.config.region);
    if (changed) say('sync_set_changed', { epoch: this.epoch, set: now.value.set });
  }
}
