import { dirname } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { EngineError } from '../platform/errors.ts';
import { makeFolders } from '../platform/make-folder.ts';
import { syncFolder } from '../platform/sync-folder.ts';
import type { EpochTable, LogEnd } from '../replication/epochs.ts';
import type { RowVisitor } from './data-reader.ts';
import { GivenRow, type Extent } from './given-row.ts';
import { BINARY, META_KEY, openEnvironment, rangeFrom, type Binary } from './lmdb-environment.ts';
import { decodeMeta, encodeMeta, type Meta } from './meta.ts';
import { SeenRow } from './seen-row.ts';

const PROGRESS_KEY = Buffer.from('progress');

export interface RestoreRow {
  readonly key: Uint8Array;
  /** null deletes. */
  readonly value: Uint8Array | null;
}

/** Key and value are parts of `source`, and copied before it returns. */
export type PutInPlace = (source: Buffer, key: Readonly<Extent>, value: Readonly<Extent>) => void;

/** What an interrupted restore had reached; `note` is the caller's. */
export interface RestoreProgress {
  readonly job: string;
  readonly note: string;
}

/**
 * An empty database that is being filled. What is put is not live: until `finish` the database is as empty as it was, whatever happens. Each put is durable
 * together with its note, so a restore that was interrupted goes on there. The caller holds the folder's lock, and calls `close`.
 */
export interface RestoreTarget {
  readonly progress: RestoreProgress | null;
  /** Throws away what an interrupted restore left. */
  clear(): Promise<void>;
  /** Rows of a whole restore come in key order; then `append` makes it faster. */
  put(rows: Iterable<RestoreRow>, progress: RestoreProgress, append: boolean): Promise<void>;
  /** As put, of rows of a whole restore, which `give` hands over one by one where they lie. @throws EngineError internal where they are not in key order */
  append(give: (put: PutInPlace) => void, progress: RestoreProgress): Promise<void>;
  get(key: Uint8Array): Buffer | undefined;
  /** Records that were put. */
  records(): number;
  /** All that is committed now, in the order of keys, from `begin` on. */
  scan(begin: Uint8Array, visit: RowVisitor): void;
  /** Makes it live, as a database whose log begins after `end`. */
  finish(end: LogEnd, epochs: EpochTable): Promise<void>;
  close(): Promise<void>;
}

/** @throws EngineError bad-request where there is data: a restore never replaces anything */
export function openRestoreTarget(folder: string): RestoreTarget {
  makeFolders(folder);
  return openEnvironment(folder, BINARY, (root) => targetIn(root, folder));
}

function targetIn(root: RootDatabase<Buffer, Buffer>, folder: string): RestoreTarget {
  syncFolder(folder);
  syncFolder(dirname(folder));
  const store = (name: string): Binary => root.openDB({ name, ...BINARY }) as Binary;
  const [log, metaStore, slots, progressStore] = [store('log'), store('meta'), [store('data0'), store('data1')] as const, store('restore')];
  const meta = decodeMeta(metaStore.get(META_KEY));
  const slot: Meta['slot'] = meta.slot === 0 ? 1 : 0;
  const live = slots[meta.slot];
  const isEmpty = meta.appliedIndex === 0 && meta.baseIndex === 0 && entriesIn(log) === 0 && entriesIn(live) === 0;
  if (!isEmpty)
    throw new EngineError(
      'bad-request',
      `${folder} is no empty database (it has a log up to ${meta.appliedIndex}); restore into an empty one`,
    );
  const seen = new SeenRow();
  const target = slots[slot];
  const scanned = root.openDB({ name: `data${slot}`, ...seen.codecs } as { name: string }) as unknown as Binary;
  const putInPlace = appender(root, `data${slot}`);
  const writing = async (work: () => void): Promise<void> => root.transactionSync(work);
  const reached = (progress: RestoreProgress): void => progressStore.putSync(PROGRESS_KEY, Buffer.from(JSON.stringify(progress)));
  return {
    progress: readProgress(progressStore),
    clear: () =>
      writing(() => {
        target.clearSync();
        progressStore.clearSync();
      }),
    put: (rows, progress, append) =>
      writing(() => {
        const how = { append } as Parameters<Binary['putSync']>[2];
        for (const { key, value } of rows) {
          if (value === null) target.removeSync(bufferOf(key));
          else requirePut(target.putSync(bufferOf(key), bufferOf(value), how));
        }
        reached(progress);
      }),
    append: (give, progress) =>
      writing(() => {
        give(putInPlace);
        reached(progress);
      }),
    get: (key) => target.get(bufferOf(key)),
    records: () => {
      root.resetReadTxn();
      return entriesIn(target);
    },
    scan: (begin, visit) => {
      root.resetReadTxn();
      for (const _row of scanned.getRange(rangeFrom(begin))) if (!visit(seen.key, seen.keyBytes, seen.value, seen.valueBytes)) return;
    },
    finish: (end, epochs) =>
      writing(() => {
        const sealedEpoch = Math.max(meta.sealedEpoch, end.epoch);
        metaStore.putSync(META_KEY, encodeMeta({ format: 1, sealedEpoch, appliedIndex: end.index, baseIndex: end.index, epochs, slot }));
        progressStore.clearSync();
      }),
    close: () => root.close(),
  };
}

/** Puts each row after the ones before it. */
function appender(root: RootDatabase<Buffer, Buffer>, name: string): PutInPlace {
  const given = new GivenRow();
  const filled = root.openDB({ name, ...given.codecs } as { name: string }) as unknown as Binary;
  const appending = { append: true } as Parameters<Binary['putSync']>[2];
  return (source, key, value) => {
    given.give(source, key, value);
    requirePut(filled.putSync(GivenRow.TOKEN, GivenRow.TOKEN, appending));
  };
}

/** Appending tells, though the types do not say so, where a row does not come after all that are there. */
function requirePut(outcome: unknown): void {
  if (outcome !== true) throw new EngineError('internal', 'rows of a restore do not come in key order');
}

function entriesIn(store: Binary): number {
  return (store.getStats() as { readonly entryCount: number }).entryCount;
}

function readProgress(store: Binary): RestoreProgress | null {
  const stored = store.get(PROGRESS_KEY);
  return stored === undefined ? null : (JSON.parse(stored.toString('utf8')) as RestoreProgress);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
