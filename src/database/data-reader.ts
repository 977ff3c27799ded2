import type { EpochTable, LogEnd } from '../replication/epochs.ts';
import type { Entry } from './database.ts';

/** What identifies the state that a read transaction sees: equal identities are equal data. */
export interface DataIdentity {
  readonly end: LogEnd;
  readonly epochs: EpochTable;
  /** Entries above are in the log still. */
  readonly baseIndex: number;
  readonly slot: number;
}

/**
 * Sees one record; the buffers are reused for the next one, so what is kept must be copied. False ends the scan. Only the first `keyBytes` and
 * `valueBytes` bytes count.
 */
export type RowVisitor = (key: Buffer, keyBytes: number, value: Buffer, valueBytes: number) => boolean;

/** One consistent state of a database, however long it takes to read it and whatever is written meanwhile. The owner calls `release`. */
export interface PinnedData {
  readonly identity: DataIdentity;
  /** Committed records from `begin` on, in the order of their keys' bytes. */
  scan(begin: Uint8Array, visit: RowVisitor): void;
  /** Log entries [from, through]; they must be within (baseIndex, end.index]. */
  entries(from: number, through: number): Iterable<Entry>;
  release(): void;
}

/** Reads a database that another process may be writing, without that process having to do anything. The owner calls `close`. */
export interface DataReader {
  /** The newest durable state. */
  pin(): PinnedData;
  /** About how many records and bytes there are now. */
  size(): { readonly records: number; readonly bytes: number };
  /** The key that is `skip` records after `from` (null: the first record); null at the end. A hint: other records may be there a moment later. */
  keyAfter(from: Uint8Array | null, skip: number): Buffer | null;
  close(): Promise<void>;
}

/** Of the newest durable state. */
export function newestIdentity(reader: Pick<DataReader, 'pin'>): DataIdentity {
  const data = reader.pin();
  data.release();
  return data.identity;
}
