import type { DataSnapshot, Database, DatabaseState, Entry } from '../database/database.ts';
import { GroupCommit } from '../database/group-commit.ts';
import { EngineError } from '../platform/errors.ts';
import { endOf, truncated, withEntries, type EpochTable } from '../replication/epochs.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

/** Told of what is done to a log, as it is done. */
export interface LogWitness {
  appended(entries: readonly Entry[]): void;
  removed(entries: readonly Entry[]): void;
  committed(entries: readonly Entry[]): void;
}

export interface SimulatedDatabaseOptions {
  readonly disk: SimulatedDisk;
  /** Resolves when the disk has synced. */
  readonly sync: () => Promise<void>;
  readonly witness: LogWitness;
}

/** How long what is committed may wait for a write to be made durable with; as the real one. */
const APPLY_DELAY_MS = 25;

/** The Database port over a simulated disk: what a resolved write promised survives the process, what was under way is lost or not, all of it or nothing. */
export class SimulatedDatabase implements Database {
  readonly #options: SimulatedDatabaseOptions;
  readonly #group: GroupCommit;
  #entries: Entry[];
  #epochs: EpochTable;
  #baseIndex: number;
  #lastIndex: number;
  #durableIndex: number;
  #commitIndex: number;
  #sealedEpoch: number;
  #data: Map<string, string>;
  /** What the disk does not have yet of the key space: changes in their order, or all of it. */
  #unwritten: Entry[] | 'all' = [];
  #applying = false;
  #state: DatabaseState | null = null;

  constructor(options: SimulatedDatabaseOptions) {
    this.#options = options;
    const { image } = options.disk;
    this.#entries = image.entries.slice(0, image.entryCount);
    this.#epochs = image.epochs;
    this.#baseIndex = image.baseIndex;
    this.#lastIndex = image.lastIndex;
    this.#durableIndex = image.lastIndex;
    this.#commitIndex = image.appliedIndex;
    this.#sealedEpoch = image.sealedEpoch;
    this.#data = new Map(options.disk.data);
    this.#group = new GroupCommit((writes) => this.#transact(writes));
  }

  state(): DatabaseState {
    this.#state ??= {
      log: endOf(this.#epochs, this.#lastIndex),
      durableIndex: this.#durableIndex,
      baseIndex: this.#baseIndex,
      epochs: this.#epochs,
      commitIndex: this.#commitIndex,
      sealedEpoch: this.#sealedEpoch,
    };
    return this.#state;
  }

  async append(entries: readonly Entry[]): Promise<void> {
    this.#group.check();
    const epochs = withEntries(this.#epochs, this.#lastIndex, entries);
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#options.witness.appended(entries);
    this.#epochs = epochs;
    this.#entries.push(...entries);
    this.#lastIndex = last.index;
    this.#state = null;
    await this.#group.add(() => undefined);
    this.#durableIndex = Math.max(this.#durableIndex, Math.min(last.index, this.#lastIndex));
    this.#state = null;
  }

  entries(fromIndex: number, maxBytes: number): readonly Entry[] {
    if (fromIndex <= this.#baseIndex) throw new EngineError('internal', `the log begins after ${this.#baseIndex}, not at ${fromIndex}`);
    const from = fromIndex - this.#baseIndex - 1;
    // About a hundred bytes each.
    return this.#entries.slice(from, from + Math.max(1, Math.floor(maxBytes / 100)));
  }

  commit(index: number): void {
    if (index <= this.#commitIndex) return;
    if (index > this.#lastIndex) throw new EngineError('internal', `cannot commit ${index}: the log ends at ${this.#lastIndex}`);
    const settled = this.#entries.slice(this.#commitIndex - this.#baseIndex, index - this.#baseIndex);
    this.#options.witness.committed(settled);
    applyTo(this.#data, settled);
    if (this.#unwritten !== 'all') this.#unwritten.push(...settled);
    this.#commitIndex = index;
    this.#state = null;
    if (this.#applying) return;
    this.#applying = true;
    setTimeout(() => {
      this.#applying = false;
      this.#group.add(() => undefined).catch(() => undefined);
    }, APPLY_DELAY_MS);
  }

  get(key: string): string | undefined {
    this.#group.check();
    return this.#data.get(key);
  }

  async seal(epoch: number): Promise<void> {
    this.#sealedEpoch = Math.max(this.#sealedEpoch, epoch);
    this.#state = null;
    await this.#group.add(() => undefined);
  }

  async truncate(afterIndex: number): Promise<void> {
    if (afterIndex < this.#commitIndex)
      throw new EngineError('internal', `cannot remove what is above ${afterIndex}: ${this.#commitIndex} is committed`);
    if (afterIndex >= this.#lastIndex) return;
    this.#options.witness.removed(this.#entries.slice(afterIndex - this.#baseIndex));
    // The disk may have the array itself.
    this.#entries = this.#entries.slice(0, afterIndex - this.#baseIndex);
    this.#epochs = truncated(this.#epochs, afterIndex);
    this.#lastIndex = afterIndex;
    this.#durableIndex = Math.min(this.#durableIndex, afterIndex);
    this.#state = null;
    await this.#group.add(() => undefined);
  }

  async trim(throughIndex: number): Promise<void> {
    const through = Math.min(throughIndex, this.#commitIndex, this.#durableIndex);
    if (through <= this.#baseIndex) return;
    this.#entries = this.#entries.slice(through - this.#baseIndex);
    this.#baseIndex = through;
    this.#state = null;
    await this.#group.add(() => undefined);
  }

  async snapshot(): Promise<DataSnapshot> {
    await this.#group.add(() => undefined);
    const end = endOf(this.#epochs, this.#commitIndex);
    const rows = [...this.#data].map(([key, value]) => ({ key, value }));
    async function* each(): AsyncGenerator<(typeof rows)[number]> {
      yield* rows;
    }
    return { end, epochs: truncated(this.#epochs, end.index), rows: each() };
  }

  async install({ end, epochs, rows }: DataSnapshot, wanted: () => boolean = () => true): Promise<boolean> {
    const data = new Map<string, string>();
    for await (const { key, value } of rows) data.set(key, value);
    await this.#group.add(() => undefined);
    await this.#group.idle();
    if (!wanted()) return false;
    // Of the part that the copy covers nothing is lost; what is there in place of something else is told by whoever compares.
    this.#options.witness.removed(this.#entries);
    this.#entries = [];
    this.#data = data;
    this.#unwritten = 'all';
    this.#epochs = epochs;
    this.#baseIndex = end.index;
    this.#lastIndex = end.index;
    this.#durableIndex = end.index;
    this.#commitIndex = end.index;
    this.#state = null;
    await this.#group.add(() => undefined);
    return true;
  }

  async close(): Promise<void> {
    await this.#group.add(() => undefined).catch(() => undefined);
    await this.#group.idle();
  }

  /** The image as of its begin becomes the disk's when the sync is done. */
  async #transact(writes: () => void): Promise<void> {
    const { disk, sync } = this.#options;
    writes();
    const unwritten = this.#unwritten === 'all' ? new Map(this.#data) : this.#unwritten;
    this.#unwritten = [];
    const image = {
      entries: this.#entries,
      entryCount: this.#entries.length,
      baseIndex: this.#baseIndex,
      lastIndex: this.#lastIndex,
      epochs: this.#epochs,
      sealedEpoch: this.#sealedEpoch,
      appliedIndex: this.#commitIndex,
    };
    await sync();
    if (disk.broken) throw new Error('EIO');
    disk.image = image;
    if (unwritten instanceof Map) disk.data = unwritten;
    else applyTo(disk.data, unwritten);
  }
}

function applyTo(data: Map<string, string>, entries: readonly Entry[]): void {
  for (const { op, key, value } of entries) {
    if (op === 'put') data.set(key, value);
    else if (op === 'delete') data.delete(key);
  }
}
