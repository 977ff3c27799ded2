/** What may happen to one call. `lost` and `applied`: of a commit whose answer does not come; `applied-later` is committed after its sender was told that it is unknown. */
export type Trouble = 'conflict' | 'lost' | 'applied' | 'applied-later' | 'throttled' | 'silent' | 'strange';

type Write = Buffer | null | { readonly stamped: Buffer };

export const LOCKED = '\xff\xff/management/db_locked';
const STATUS = '\xff\xff/status/json';
/** Where the lock is kept: the versionstamp of its commit, and the UID. */
const LOCKED_RAW = '\xff/dbLocked';
const MAX_VALUE_BYTES = 100_000;
export const LOCK_AWARE = 700;
const READ_LOCK_AWARE = 702;
const READ_SYSTEM_KEYS = 302;

export class FdbError extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`error ${code}`);
    this.code = code;
  }
}

/** What a transaction asks of the store that it reads and commits to. */
export interface MemoryStore {
  readonly version: number;
  readonly lockedBy: string | null;
  readonly storedLock: Buffer | undefined;
  readonly recovering: boolean;
  readonly status: string | null;
  unanswered: number;
  valueAt(key: string, version: number): Buffer | null;
  keysAt(from: string, to: string, version: number): readonly string[];
  call(kind: 'read' | 'commit', reaches: () => boolean): Promise<Trouble | null>;
  commit(transaction: Commit): number | FdbError;
}

export interface Commit {
  readonly readVersion: number;
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlyMap<string, Write>;
  readonly options: ReadonlySet<number>;
}

/** What the client library gives of a transaction, as far as the adapter uses it. */
export class MemoryTransaction {
  readonly #store: MemoryStore;
  readonly #reaches: () => boolean;
  readonly #endsAtMs: number;
  readonly #cancelled = Promise.withResolvers<void>();
  #readVersion: number | null = null;
  #committed = -1;
  #reads = new Set<string>();
  #writes = new Map<string, Write>();
  #options = new Set<number>();

  constructor(store: MemoryStore, reaches: () => boolean, timeoutMs: number) {
    this.#store = store;
    this.#reaches = reaches;
    this.#endsAtMs = timeoutMs > 0 ? performance.now() + timeoutMs : Infinity;
  }

  setOption(code: number): void {
    this.#options.add(code);
  }

  async get(key: Buffer | string): Promise<Buffer | undefined> {
    const name = text(key);
    if (name === STATUS) {
      await this.#answer('read');
      return this.#store.status === null ? undefined : Buffer.from(this.#store.status);
    }
    // Whoever reads this key reads past the lock (`SingleSpecialKeyImpl`).
    if (name === LOCKED) this.setOption(LOCK_AWARE);
    await this.#begin();
    if (name === LOCKED_RAW) {
      if (!this.#options.has(READ_SYSTEM_KEYS)) throw new FdbError(2004);
      return this.#store.storedLock;
    }
    const own = this.#writes.get(name);
    if (own !== undefined) return Buffer.isBuffer(own) ? own : undefined;
    this.#reads.add(name);
    return this.#store.valueAt(name, this.#readVersion as number) ?? undefined;
  }

  set(key: Buffer | string, value: Buffer | string): void {
    const bytes = Buffer.from(value);
    if (bytes.length > MAX_VALUE_BYTES) throw new FdbError(2103);
    this.#writes.set(text(key), bytes);
  }

  clear(key: Buffer | string): void {
    this.#writes.set(text(key), null);
  }

  /** What is in the range now. */
  clearRange(from: Buffer, to: Buffer): void {
    for (const key of this.#store.keysAt(text(from), text(to), this.#store.version)) this.#writes.set(key, null);
  }

  setVersionstampPrefixedValue(key: Buffer, value: Buffer): void {
    this.#writes.set(text(key), { stamped: value });
  }

  addWriteConflictKey(): void {
    // Nobody reads what is only looked at.
  }

  async getReadVersion(): Promise<Buffer> {
    await this.#begin();
    return bytesOf(this.#readVersion as number);
  }

  getCommittedVersion(): Buffer {
    return bytesOf(this.#committed);
  }

  snapshot(): this {
    return this;
  }

  async *getRangeBatch(from: Buffer, to: Buffer): AsyncGenerator<[Buffer, Buffer][]> {
    await this.#begin();
    if (this.#store.unanswered > 0) {
      this.#store.unanswered--;
      throw new FdbError(1009);
    }
    const version = this.#readVersion as number;
    for (const key of this.#store.keysAt(text(from), text(to), version))
      yield [[Buffer.from(key, 'latin1'), this.#store.valueAt(key, version) as Buffer]];
  }

  async getRangeAll(from: Buffer, to: Buffer, { limit = Infinity }: { limit?: number } = {}): Promise<[Buffer, Buffer][]> {
    const rows: [Buffer, Buffer][] = [];
    for await (const batch of this.getRangeBatch(from, to)) rows.push(...batch);
    return rows.slice(0, limit);
  }

  async getEstimatedRangeSizeBytes(from: Buffer, to: Buffer): Promise<number> {
    return (await this.getRangeAll(from, to)).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }

  /** After so many bytes each, as storage would know; its ends are among them. */
  async getRangeSplitPoints(from: Buffer, to: Buffer, bytes: number): Promise<Buffer[]> {
    const points = [from];
    let since = 0;
    for (const [key, value] of await this.getRangeAll(from, to)) {
      if (since >= bytes) points.push(key);
      since = (since >= bytes ? 0 : since) + key.length + value.length;
    }
    return [...points, to];
  }

  setReadVersion(version: Buffer): void {
    this.#readVersion = Number(version.readBigInt64BE());
  }

  async #begin(): Promise<void> {
    await this.#answer('read');
    if (this.#store.recovering) await this.#timeOut();
    if (this.#store.lockedBy !== null && ![LOCK_AWARE, READ_LOCK_AWARE].some((option) => this.#options.has(option)))
      throw new FdbError(1038);
    this.#readVersion ??= this.#store.version;
  }

  async #answer(call: 'read' | 'commit'): Promise<Trouble | null> {
    const trouble = await this.#store.call(call, this.#reaches);
    if (trouble === 'silent') await this.#timeOut();
    if (trouble === 'throttled') throw new FdbError(1213);
    if (call === 'read' && trouble === 'strange') throw new FdbError(1006);
    return trouble;
  }

  async #timeOut(): Promise<never> {
    const waitMs = Math.max(0, Math.min(this.#endsAtMs - performance.now(), 10_000));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.#cancelled.promise, new Promise((resolve) => (timer = setTimeout(resolve, waitMs)))]);
    clearTimeout(timer);
    throw new FdbError(1031);
  }

  rawCancel(): void {
    this.#cancelled.resolve();
  }

  async rawCommit(): Promise<void> {
    // Measured on 7.3.79.
    if (this.#options.has(READ_LOCK_AWARE)) throw new FdbError(2023);
    const trouble = await this.#answer('commit');
    if (trouble === 'conflict') throw new FdbError(1020);
    if (trouble === 'lost') throw new FdbError(1021);
    if (trouble === 'strange') throw new FdbError(1999);
    const commit = (): number | FdbError =>
      this.#store.commit({
        readVersion: this.#readVersion ?? this.#store.version,
        reads: this.#reads,
        writes: this.#writes,
        options: this.#options,
      });
    if (trouble === 'applied-later') {
      setTimeout(commit, 1);
      throw new FdbError(1031);
    }
    const result = commit();
    if (typeof result !== 'number') throw result;
    if (trouble === 'applied') throw new FdbError(1021);
    this.#committed = result;
  }

  /** Only what may be tried again, while there is time; the transaction is new then, its options gone. */
  async rawOnError(code: number): Promise<void> {
    if (performance.now() >= this.#endsAtMs) throw new FdbError(1031);
    if (![1007, 1009, 1020, 1021, 1037, 1038, 1039, 1042, 1051, 1078, 1213].includes(code)) throw new FdbError(code);
    await new Promise((resolve) => setImmediate(resolve));
    this.#readVersion = null;
    this.#reads = new Set();
    this.#writes = new Map();
    this.#options = new Set();
  }
}

function bytesOf(version: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(version));
  return bytes;
}

function text(key: Buffer | string): string {
  return typeof key === 'string' ? key : key.toString('latin1');
}
