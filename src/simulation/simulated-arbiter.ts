import { NO_RECORDS, type Arbiter, type CasResult, type Held, type RecordName, type Records, type Snapshot } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import { EngineError } from '../platform/errors.ts';
import { jsonCopy } from './json-copy.ts';
import type { Network, Place } from './network.ts';
import type { Random } from './random.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Happening, VirtualTime } from './virtual-time.ts';

export interface ArbiterWitness {
  /** A process asks for this change, for the first time or again. */
  asked<K extends RecordName>(by: SimulatedProcess, record: K, value: Records[K]): void;
  stored<K extends RecordName>(by: SimulatedProcess, record: K, value: Records[K], before: Records[K] | null): void;
  /** An answer, of whatever kind, has arrived at who asked. */
  answered(by: SimulatedProcess): void;
  /** The news of a change has arrived at who watches. */
  told(): void;
}

export interface SimulatedEtcdOptions {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly random: Random;
  readonly policy: Policy;
  readonly regions: readonly string[];
  readonly witness: ArbiterWitness;
}

interface Member {
  readonly place: Place;
  up: boolean;
}
interface Watcher {
  readonly process: SimulatedProcess;
  readonly place: Place;
  member: Member | null;
  heardAtMs: number;
  readonly learn: (snapshot: Snapshot) => void;
}

/** One member a region. A member serves while it reaches the leader, the leader while it reaches a majority both ways; without one, an election takes its time. */
export class SimulatedEtcd {
  /** Of what was carried out, so many answers are lost besides. */
  lostAnswers = 0;
  readonly members: readonly Member[];
  readonly #options: SimulatedEtcdOptions;
  #records: Snapshot = NO_RECORDS;
  readonly #seen = new WeakMap<SimulatedProcess, number>();
  #leader: Member;
  #electing = false;
  readonly #watchers = new Set<Watcher>();

  constructor(options: SimulatedEtcdOptions) {
    this.#options = options;
    this.members = options.regions.map((region) => ({ place: { region, program: 'arbiter' }, up: true }));
    this.#leader = options.random.pick(this.members);
  }

  /** What is stored, as somebody sees it who sees everything. */
  get records(): Snapshot {
    return this.#records;
  }

  /** The newest revision that a process was shown. */
  seenBy(process: SimulatedProcess): number {
    return this.#seen.get(process) ?? 0;
  }

  client(process: SimulatedProcess): Arbiter {
    const order = [...this.members].toSorted(
      (a, b) => Number(b.place.region === process.region) - Number(a.place.region === process.region),
    );
    const place: Place = { region: process.region, program: process.program };
    return {
      read: (signal) => this.#read({ process, place, order }, signal),
      cas: (record, expected, value, signal) => this.#cas({ process, place, order }, record, expected, value, signal),
      watch: (onRecords, signal) => this.#watch({ process, place, order }, onRecords, signal),
      close: () => Promise.resolve(),
    };
  }

  async #read(client: Client, signal?: AbortSignal): Promise<Snapshot> {
    const answer = await this.#ask(client, () => this.#records, signal);
    if (answer === null) throw new EngineError('arbiter-unavailable', 'no etcd member answered');
    return answer;
  }

  async #cas<K extends RecordName>(
    client: Client,
    record: K,
    expected: number | null,
    value: Records[K],
    signal?: AbortSignal,
  ): Promise<CasResult<Records[K]>> {
    this.#options.witness.asked(client.process, record, value);
    const stored = jsonCopy(value) as Records[K];
    const apply = (): CasResult<Records[K]> => {
      const held = this.#records[record] as Held<Records[K]> | null;
      if ((held?.revision ?? null) !== expected) {
        if (held !== null && JSON.stringify(held.value) === JSON.stringify(stored)) return { ok: true, revision: held.revision };
        return { ok: false, reason: 'conflict', current: held };
      }
      const revision = this.#records.revision + 1;
      this.#records = { ...this.#records, [record]: { value: stored, revision }, revision };
      this.#options.witness.stored(client.process, record, value, held?.value ?? null);
      for (const watcher of this.#watchers) this.#tell(watcher);
      return { ok: true, revision };
    };
    return (await this.#ask(client, apply, signal)) ?? { ok: false, reason: 'unknown' };
  }

  /** One member after the other, as the adapter does: the next one after `arbiterRpcMs` without an answer, the first answer counts. */
  #ask<T>(client: Client, carryOut: () => T, signal?: AbortSignal): Promise<T | null> {
    const { policy } = this.#options;
    return new Promise((resolve) => {
      const timers: Happening[] = [];
      let done = false;
      const end = (answer: T | null): void => {
        if (done) return;
        done = true;
        for (const timer of timers) timer.cancelled = true;
        signal?.removeEventListener('abort', abort);
        resolve(answer);
      };
      const abort = (): void => end(null);
      if (signal?.aborted === true) return end(null);
      signal?.addEventListener('abort', abort, { once: true });
      client.order.forEach((member, i) => {
        if (i === 0) this.#send(client, member, carryOut, end);
        else timers.push(client.process.timer(i * policy.arbiterRpcMs, () => this.#send(client, member, carryOut, end)));
      });
      timers.push(client.process.timer(client.order.length * policy.arbiterRpcMs, abort));
    });
  }

  #send<T>({ process, place }: Client, member: Member, carryOut: () => T, end: (answer: T) => void): void {
    const { time, network, random, policy, witness } = this.#options;
    const [thereMs] = network.deliveries(place, member.place);
    if (thereMs === undefined) return;
    const serve = (patienceMs: number): void => {
      if (!member.up) return;
      if (!this.#serves(member)) {
        // Held until there is a leader, or dropped: it may be carried out long after nobody waits for it.
        if (patienceMs > 0) time.after(50, null, () => serve(patienceMs - 50));
        return;
      }
      // To the leader and a majority, and back.
      time.after(random.between(0.5, 4), null, () => {
        if (!this.#serves(member)) return;
        const answer = carryOut();
        const [backMs] = network.deliveries(member.place, place);
        if (backMs === undefined || random.chance(this.lostAnswers)) return;
        time.after(backMs, process, () => {
          witness.answered(process);
          end(answer);
        });
      });
    };
    time.after(thereMs, null, () => serve(random.chance(0.5) ? policy.arbiterElectionMs : 0));
  }

  #serves(member: Member): boolean {
    const leader = this.#leader;
    if (!member.up || !this.#leads(leader)) {
      this.#elect();
      return false;
    }
    return member === leader || this.#linked(member, leader);
  }

  #leads(candidate: Member): boolean {
    const followers = this.members.filter((member) => member.up && (member === candidate || this.#linked(member, candidate)));
    return candidate.up && followers.length * 2 > this.members.length;
  }

  #linked(a: Member, b: Member): boolean {
    return a.up && b.up && !this.#options.network.isCut(a.place, b.place) && !this.#options.network.isCut(b.place, a.place);
  }

  #elect(): void {
    const { time, random, policy } = this.#options;
    if (this.#electing || this.#leads(this.#leader)) return;
    this.#electing = true;
    time.after(random.between(0.4, 1) * policy.arbiterElectionMs, null, () => {
      this.#electing = false;
      const able = this.members.filter((member) => this.#leads(member));
      if (able.length > 0) this.#leader = random.pick(able);
    });
  }

  async #watch(client: Client, onRecords: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void> {
    const { policy, time } = this.#options;
    const { process, place, order } = client;
    let known: Snapshot | null = null;
    const watcher: Watcher = {
      process,
      place,
      member: null,
      heardAtMs: 0,
      learn: (snapshot) => {
        if (known !== null && snapshot.revision <= known.revision) return;
        known = snapshot;
        this.#seen.set(process, snapshot.revision);
        onRecords(snapshot);
      },
    };
    this.#watchers.add(watcher);
    while (!signal.aborted) {
      try {
        const silent = time.nowMs - watcher.heardAtMs >= 2 * policy.leaseRenewMs;
        if (watcher.member === null || silent) {
          watcher.learn(await this.#read(client, signal));
          watcher.member = order.find((member) => this.#serves(member)) ?? null;
          watcher.heardAtMs = time.nowMs;
        }
        await process.clock.sleep(watcher.member === null ? policy.arbiterRpcMs : policy.leaseRenewMs, signal).catch(() => undefined);
      } catch {
        watcher.member = null;
        await process.clock.sleep(policy.arbiterRpcMs, signal).catch(() => undefined);
      }
    }
    this.#watchers.delete(watcher);
  }

  #tell(watcher: Watcher): void {
    const { time, network, random, witness } = this.#options;
    const { member, process, place } = watcher;
    if (process.isDead) {
      this.#watchers.delete(watcher);
      return;
    }
    if (member === null || !this.#serves(member)) return;
    const snapshot = this.#records;
    const [delayMs] = network.deliveries(member.place, place);
    if (delayMs === undefined) return;
    time.after(delayMs + random.between(0, 2), process, () => {
      witness.told();
      watcher.heardAtMs = time.nowMs;
      watcher.learn(snapshot);
    });
  }
}

interface Client {
  readonly process: SimulatedProcess;
  readonly place: Place;
  /** Members, the nearest first. */
  readonly order: readonly Member[];
}
