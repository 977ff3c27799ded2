import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { EngineError } from '../platform/errors.ts';
import { endOf, truncated } from '../replication/epochs.ts';
import { decodeEntry, encodeIndex } from './codec.ts';
import type { DataReader, PinnedData } from './data-reader.ts';
import type { Entry } from './database.ts';
import { BINARY, META_KEY, openEnvironment, rangeFrom, type Binary } from './lmdb-environment.ts';
import { inQuietMoment } from './lmdb-quiet.ts';
import { decodeMeta } from './meta.ts';
import { SeenRow } from './seen-row.ts';

/**
 * Opens the LMDB environment of a database for reading, beside the process that writes it (or without one). LMDB gives every read transaction its own
 * version of all pages: the writer is asked for a quiet moment once, to open, and not slowed down after it; what is seen is durable. While a state is pinned the file cannot reuse
 * the pages that it needs. Works in any thread; threads of one process share the environment.
 */
export async function openLmdbReader(folder: string): Promise<DataReader> {
  if (!existsSync(join(folder, 'data.mdb'))) throw new EngineError('bad-request', `there is no database in ${folder}`);
  let reader: DataReader | undefined;
  try {
    return await inQuietMoment(folder, () => {
      reader = openEnvironment(folder, { readOnly: true }, (root) => new LmdbReader(root));
      return reader;
    });
  } catch (cause) {
    // The writer went on meanwhile: who tries again must open it anew.
    await reader?.close();
    throw cause instanceof EngineError ? cause : new EngineError('database-broken', `cannot read the database in ${folder}`, cause);
  }
}

class LmdbReader implements DataReader {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #log: Binary;
  readonly #metaStore: Binary;
  readonly #plainSlots: readonly [Binary, Binary];
  readonly #seen = new SeenRow();
  readonly #slots: readonly [Binary, Binary];

  constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root;
    const plain = (name: string): Binary => {
      const store = root.openDB({ name, ...BINARY }) as Binary | undefined;
      if (store === undefined) throw new EngineError('bad-request', 'this LMDB environment is no database of coditect-dr');
      return store;
    };
    const scanned = (name: string): Binary => root.openDB({ name, ...this.#seen.codecs } as { name: string }) as unknown as Binary;
    this.#log = plain('log');
    this.#metaStore = plain('meta');
    this.#plainSlots = [plain('data0'), plain('data1')];
    this.#slots = [scanned('data0'), scanned('data1')];
  }

  pin(): PinnedData {
    this.#root.resetReadTxn();
    const transaction = this.#root.useReadTransaction();
    const meta = decodeMeta(this.#metaStore.get(META_KEY, { transaction }));
    const epochs = truncated(meta.epochs, meta.appliedIndex);
    const identity = { end: endOf(epochs, meta.appliedIndex), epochs, baseIndex: meta.baseIndex, slot: meta.slot };
    const [log, slot, seen] = [this.#log, this.#slots[meta.slot], this.#seen];
    let released = false;
    return {
      identity,
      scan: (begin, visit) => {
        for (const _row of slot.getRange({ ...rangeFrom(begin), transaction })) {
          if (!visit(seen.key, seen.keyBytes, seen.value, seen.valueBytes)) return;
        }
      },
      entries: function* (from, through): Generator<Entry> {
        if (from <= meta.baseIndex || through > meta.appliedIndex)
          throw new EngineError('internal', `log entries ${from} to ${through} are not in (${meta.baseIndex}, ${meta.appliedIndex}]`);
        for (let index = from; index <= through; index++) {
          const stored = log.get(encodeIndex(index), { transaction });
          if (stored === undefined) throw new EngineError('database-broken', `log entry ${index} is missing`);
          yield decodeEntry(index, stored);
        }
      },
      release: () => {
        if (!released) transaction.done();
        released = true;
      },
    };
  }

  size(): { readonly records: number; readonly bytes: number } {
    const stats = this.#liveSlot().getStats() as Readonly<Record<string, number>>;
    const pages = (stats['treeLeafPageCount'] ?? 0) + (stats['overflowPages'] ?? 0);
    return { records: stats['entryCount'] ?? 0, bytes: pages * (stats['pageSize'] ?? 4096) };
  }

  keyAfter(from: Uint8Array | null, skip: number): Buffer | null {
    const start = from === null ? {} : { start: Buffer.from(from) };
    for (const key of this.#liveSlot().getKeys({ ...start, offset: skip, limit: 1 })) return Buffer.from(key);
    return null;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #liveSlot(): Binary {
    return this.#plainSlots[decodeMeta(this.#metaStore.get(META_KEY)).slot];
  }
}
