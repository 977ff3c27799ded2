import { dirname } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { syncFolder } from '../platform/sync-folder.ts';
import { EngineError } from '../platform/errors.ts';
import { makeFolders } from '../platform/make-folder.ts';
import { endOf, truncated, withEntries } from '../replication/epochs.ts';
import { decodeEntry, decodeIndex, encodeEntry, encodeIndex } from './codec.ts';
import type { DataSnapshot, Database, DatabaseState, Entry, KeyValue } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { BINARY, META_KEY, openEnvironment, type Binary } from './lmdb-environment.ts';
import { QuietMoments } from './lmdb-quiet.ts';
import { decodeMeta, encodeMeta, type Meta } from './meta.ts';
import { RecentEntries } from './recent.ts';

/** How long what is committed may wait for a write to be made durable with. Losing it costs nothing: the log has it. */
const APPLY_DELAY_MS = 25;
const INSTALL_CHUNK_BYTES = 1024 * 1024;

/**
 * Opens (or makes) the database in `folder`. LMDB's plain commit is used (lmdb-environment.ts), so a
 * resolved write is durable and no state of the file between two commits is ever the newest.
 */
export function openLmdb(folder: string): Database {
  let quiet: QuietMoments | undefined;
  try {
    makeFolders(folder);
    let stir: () => void = () => undefined;
    const moments = (quiet = new QuietMoments(folder, () => stir()));
    return openEnvironment(folder, BINARY, (root) => {
      const database = new LmdbDatabase(root, moments);
      stir = () => database.stir();
      syncFolder(folder);
      syncFolder(dirname(folder));
      return database;
    });
  } catch (cause) {
    quiet?.close();
    throw cause instanceof EngineError ? cause : new EngineError('database-broken', `cannot open the database in ${folder}`, cause);
  }
}

interface Cell {
  readonly value: string | null;
}

class LmdbDatabase implements Database {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #quiet: QuietMoments;
  readonly #log: Binary;
  readonly #metaStore: Binary;
  /** Two copies of the key space, one of them live: a snapshot is installed into the other. */
  readonly #slots: readonly [Binary, Binary];
  readonly #group: GroupCommit;
  /** As it will be when everything handed in so far is durable. */
  #meta: Meta;
  #lastIndex: number;
  #durableIndex: number;
  #commitIndex: number;
  /** Committed, but not yet written to the live slot; null is a deleted key. */
  readonly #overlay = new Map<string, Cell>();
  readonly #recent = new RecentEntries();
  #applyTimer: NodeJS.Timeout | null = null;

  constructor(root: RootDatabase<Buffer, Buffer>, quiet: QuietMoments) {
    this.#root = root;
    this.#quiet = quiet;
    const store = (name: string): Binary => root.openDB({ name, ...BINARY }) as Binary;
    this.#log = store('log');
    this.#metaStore = store('meta');
    this.#slots = [store('data0'), store('data1')];
    this.#meta = decodeMeta(this.#metaStore.get(META_KEY));
    this.#lastIndex = this.#readLastIndex();
    if (this.#lastIndex < this.#meta.appliedIndex)
      throw new EngineError('database-broken', `the log ends at ${this.#lastIndex}, before what was applied (${this.#meta.appliedIndex})`);
    this.#durableIndex = this.#lastIndex;
    this.#commitIndex = this.#meta.appliedIndex;
    this.#group = new GroupCommit((writes) => this.#transact(writes));
  }

  state(): DatabaseState {
    const { baseIndex, epochs, sealedEpoch } = this.#meta;
    return {
      log: endOf(epochs, this.#lastIndex),
      durableIndex: this.#durableIndex,
      baseIndex,
      epochs,
      commitIndex: this.#commitIndex,
      sealedEpoch,
    };
  }

  async append(entries: readonly Entry[]): Promise<void> {
    this.#group.check();
    const epochs = withEntries(this.#meta.epochs, this.#lastIndex, entries);
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#meta = { ...this.#meta, epochs };
    this.#lastIndex = last.index;
    for (const entry of entries) this.#recent.add(entry, this.#durableIndex);
    await this.#group.add(() => {
      for (const entry of entries) void this.#log.put(encodeIndex(entry.index), encodeEntry(entry));
    });
    // A truncation handed in meanwhile comes after this write and lowers it itself.
    this.#durableIndex = Math.max(this.#durableIndex, Math.min(last.index, this.#lastIndex));
  }

  entries(fromIndex: number, maxBytes: number): readonly Entry[] {
    if (fromIndex <= this.#meta.baseIndex)
      throw new EngineError('internal', `the log begins after ${this.#meta.baseIndex}, not at ${fromIndex}`);
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = fromIndex; index <= this.#lastIndex && (bytes < maxBytes || found.length === 0); index++) {
      const entry = this.#entry(index);
      found.push(entry);
      bytes += 64 + entry.key.length + entry.value.length;
    }
    return found;
  }

  commit(index: number): void {
    if (index <= this.#commitIndex) return;
    if (index > this.#lastIndex) throw new EngineError('internal', `cannot commit ${index}: the log ends at ${this.#lastIndex}`);
    for (let i = this.#commitIndex + 1; i <= index; i++) {
      const { op, key, value } = this.#entry(i);
      if (op !== 'noop') this.#overlay.set(key, { value: op === 'put' ? value : null });
    }
    this.#commitIndex = index;
    this.#applyTimer ??= setTimeout(() => {
      this.#applyTimer = null;
      // The owner learns of a broken disk from the write that it waits for.
      this.#group.add(() => undefined).catch(() => undefined);
    }, APPLY_DELAY_MS).unref();
  }

  get(key: string): string | undefined {
    this.#group.check();
    const over = this.#overlay.get(key);
    if (over !== undefined) return over.value ?? undefined;
    return this.#live().get(Buffer.from(key))?.toString('utf8');
  }

  async seal(epoch: number): Promise<void> {
    if (epoch > this.#meta.sealedEpoch) this.#meta = { ...this.#meta, sealedEpoch: epoch };
    // Also where it changes nothing: an earlier seal may not be durable yet.
    await this.#group.add(() => undefined);
  }

  async truncate(afterIndex: number): Promise<void> {
    if (afterIndex < this.#commitIndex)
      throw new EngineError('internal', `cannot remove what is above ${afterIndex}: ${this.#commitIndex} is committed`);
    if (afterIndex >= this.#lastIndex) return;
    const from = afterIndex + 1;
    const through = this.#lastIndex;
    this.#meta = { ...this.#meta, epochs: truncated(this.#meta.epochs, afterIndex) };
    this.#lastIndex = afterIndex;
    this.#durableIndex = Math.min(this.#durableIndex, afterIndex);
    for (let index = from; index <= through; index++) this.#recent.delete(index);
    await this.#group.add(() => {
      for (let index = from; index <= through; index++) void this.#log.remove(encodeIndex(index));
    });
  }

  async trim(throughIndex: number): Promise<void> {
    const from = this.#meta.baseIndex + 1;
    const through = Math.min(throughIndex, this.#commitIndex, this.#durableIndex);
    if (through < from) return;
    this.#meta = { ...this.#meta, baseIndex: through };
    await this.#group.add(() => {
      for (let index = from; index <= through; index++) void this.#log.remove(encodeIndex(index));
    });
  }

  async snapshot(): Promise<DataSnapshot> {
    await this.#group.add(() => undefined);
    const transaction = this.#root.useReadTransaction();
    const meta = decodeMeta(this.#metaStore.get(META_KEY, { transaction }));
    const epochs = truncated(meta.epochs, meta.appliedIndex);
    const slot = this.#slots[meta.slot];
    async function* rows(): AsyncGenerator<KeyValue> {
      try {
        let sinceYield = 0;
        for (const { key, value } of slot.getRange({ transaction })) {
          yield { key: Buffer.from(key).toString('utf8'), value: value.toString('utf8') };
          // Let others have the thread during a large copy.
          if (++sinceYield % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        transaction.done();
      }
    }
    return { end: endOf(epochs, meta.appliedIndex), epochs, rows: rows() };
  }

  async install(copy: DataSnapshot, wanted: () => boolean = () => true): Promise<boolean> {
    const slot = this.#meta.slot === 0 ? 1 : 0;
    const target = this.#slots[slot];
    await this.#group.add(() => void target.clearAsync());
    let chunk: KeyValue[] = [];
    let bytes = 0;
    const write = async (): Promise<void> => {
      const rows = chunk;
      chunk = [];
      bytes = 0;
      await this.#group.add(() => rows.forEach(({ key, value }) => void target.put(Buffer.from(key), Buffer.from(value))));
    };
    for await (const row of copy.rows) {
      chunk.push(row);
      bytes += 64 + row.key.length + row.value.length;
      if (bytes >= INSTALL_CHUNK_BYTES) await write();
    }
    await write();
    await this.#group.idle();
    if (!wanted()) return false;
    await this.#switchTo(slot, copy);
    return true;
  }

  async #switchTo(slot: 0 | 1, { end, epochs }: DataSnapshot): Promise<void> {
    this.#overlay.clear();
    this.#recent.clear();
    this.#meta = { ...this.#meta, slot, epochs, baseIndex: end.index, appliedIndex: end.index };
    this.#lastIndex = end.index;
    this.#durableIndex = end.index;
    this.#commitIndex = end.index;
    await this.#group.add(() => void this.#log.clearAsync());
  }

  async close(): Promise<void> {
    if (this.#applyTimer !== null) clearTimeout(this.#applyTimer);
    await this.#group.add(() => undefined).catch(() => undefined);
    await this.#group.idle();
    await this.#root.close();
    this.#quiet.close();
  }

  /** Comes between two commits soon, also where nobody writes. */
  stir(): void {
    this.#group.add(() => undefined).catch(() => undefined); // the owner learns of a broken disk from the write that it waits for
  }

  #live(): Binary {
    return this.#slots[this.#meta.slot];
  }

  #entry(index: number): Entry {
    const recent = this.#recent.get(index);
    if (recent !== undefined) return recent;
    const stored = this.#log.get(encodeIndex(index));
    if (stored === undefined) throw new EngineError('database-broken', `log entry ${index} is missing`);
    return decodeEntry(index, stored);
  }

  #readLastIndex(): number {
    for (const key of this.#log.getKeys({ reverse: true, limit: 1 })) return decodeIndex(key);
    return this.#meta.baseIndex;
  }

  #writeMeta(): void {
    void this.#metaStore.put(META_KEY, encodeMeta(this.#meta));
  }

  /** One durable transaction; what is committed goes along into the live slot. */
  async #transact(writes: () => void): Promise<void> {
    let settled: readonly (readonly [string, Cell])[] = [];
    if (this.#quiet.wanted()) await this.#quiet.pass();
    await this.#root.batch(() => {
      writes();
      settled = [...this.#overlay];
      const live = this.#live();
      for (const [key, { value }] of settled) {
        if (value === null) void live.remove(Buffer.from(key));
        else void live.put(Buffer.from(key), Buffer.from(value));
      }
      this.#meta = { ...this.#meta, appliedIndex: this.#commitIndex };
      this.#writeMeta();
    });
    this.#root.resetReadTxn();
    for (const [key, cell] of settled) if (this.#overlay.get(key) === cell) this.#overlay.delete(key);
  }
}
