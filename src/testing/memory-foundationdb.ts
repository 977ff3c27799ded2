import type { Database } from 'foundationdb';
import { FdbError, LOCK_AWARE, LOCKED, MemoryTransaction, type Commit, type MemoryStore, type Trouble } from './memory-transaction.ts';

export interface MemoryOptions {
  /** Asked before each read and each commit; null: no trouble. */
  readonly trouble?: (call: 'read' | 'commit') => Trouble | null;
  /** How many turns of the event loop a call takes. */
  readonly turns?: () => number;
}

interface Change {
  readonly version: number;
  readonly value: Buffer | null;
}

const STAMP_BYTES = 10;
const SPECIAL_KEY_SPACE_ENABLE_WRITES = 714;

/**
 * What the adapter relies on of FoundationDB's transactions, strictly, in memory: versions, serialisable conflicts, versionstamps, the lock, and errors by number when the test wants
 * them. No FoundationDB: it shows that the adapter is right if FoundationDB keeps its word, and with troubles that a real cluster shows once in a thousand failovers.
 */
export class MemoryFoundationdb implements MemoryStore {
  readonly #options: MemoryOptions;
  readonly #history = new Map<string, Change[]>();
  #version = 1000;
  #lockedBy: string | null = null;
  #lockedAt = 0;
  /** Whether calls are answered at all. */
  silent = false;
  /** Whether read versions are given out; status is told all the same. */
  recovering = false;
  /** So many reads of ranges get `future_version`: storage has not heard of the newest version yet. */
  unanswered = 0;
  /** What `\xff\xff/status/json` says. */
  status: string | null = null;

  constructor(options: MemoryOptions = {}) {
    this.#options = options;
  }

  /** As the adapter sees it. */
  get db(): Database {
    return this.connect(() => true);
  }

  /** A client that gets its answers only while it can reach the store. */
  connect(reaches: () => boolean): Database {
    const database = {
      rawCreateTransaction: (options?: { timeout?: number }) => new MemoryTransaction(this, reaches, options?.timeout ?? 0),
      close: () => undefined,
    };
    return database as unknown as Database;
  }

  get version(): number {
    return this.#version;
  }

  get lockedBy(): string | null {
    return this.#lockedBy;
  }

  get storedLock(): Buffer | undefined {
    // Both halves of the UID in little-endian order.
    return this.#lockedBy === null ? undefined : stamped(this.#lockedAt, Buffer.from(this.#lockedBy, 'hex').swap64());
  }

  /** Value of a key at a version, null where there is none. */
  valueAt(key: string, version: number): Buffer | null {
    return this.#history.get(key)?.findLast((change) => change.version <= version)?.value ?? null;
  }

  /** Keys with a value at that version within [from, to), sorted. */
  keysAt(from: string, to: string, version: number): readonly string[] {
    return [...this.#history.keys()].filter((key) => key >= from && key < to && this.valueAt(key, version) !== null).toSorted();
  }

  /** When a key was changed, oldest first. */
  changesOf(key: string): readonly Change[] {
    return this.#history.get(key) ?? [];
  }

  async call(kind: 'read' | 'commit', reaches: () => boolean): Promise<Trouble | null> {
    for (let turn = this.#options.turns?.() ?? 1; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    return this.silent || !reaches() ? 'silent' : (this.#options.trouble?.(kind) ?? null);
  }

  /** All or nothing; the version of the commit, or the number of the error. */
  commit({ readVersion, reads, writes, options }: Commit): number | FdbError {
    if (this.#lockedBy !== null && !options.has(LOCK_AWARE)) return new FdbError(1038);
    if ([...reads].some((key) => this.changesOf(key).some(({ version }) => version > readVersion))) return new FdbError(1020);
    if (writes.has(LOCKED) && !options.has(SPECIAL_KEY_SPACE_ENABLE_WRITES)) return new FdbError(2114);
    const version = (this.#version += 10);
    for (const [key, write] of writes) {
      const value = typeof write === 'object' && write !== null && 'stamped' in write ? stamped(version, write.stamped) : write;
      if (key === LOCKED) [this.#lockedBy, this.#lockedAt] = [value?.toString('latin1') ?? null, version];
      this.#history.set(key, [...this.changesOf(key), { version, value }]);
    }
    return version;
  }
}

function stamped(version: number, value: Buffer): Buffer {
  const stamp = Buffer.alloc(STAMP_BYTES);
  stamp.writeBigUInt64BE(BigInt(version));
  return Buffer.concat([stamp, value]);
}
