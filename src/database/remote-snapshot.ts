import type { LogEnd } from '../replication/epochs.ts';

/** Key and value of a record. */
export type Row = readonly [Buffer, Buffer];

/** Rows in the order of keys. `next`: where more may be; null: nothing up to the end that was asked for. */
export interface Slice {
  readonly rows: readonly Row[];
  readonly next: Buffer | null;
}

/** What is read in slices, over the network. */
export interface SliceReader {
  /** Rows from `from` on and before `to` (null: the end of the key space), at most about `bytes`. */
  slice(from: Uint8Array, to: Uint8Array | null, bytes: number, signal: AbortSignal): Promise<Slice>;
}

/** One state of a database that another process keeps, however long it takes to read it and whatever is written meanwhile. The owner calls `release`. */
export interface RemoteSnapshot extends SliceReader {
  readonly end: LogEnd;
  /** How one state is seen, for the manifest. */
  readonly how: string;
  /** Keys that part the data into pieces of about so many bytes: a hint. */
  splitPoints(bytes: number): Promise<readonly Buffer[]>;
  release(): Promise<void>;
}

/** A database that is read over the network. The owner calls `close`. */
export interface RemoteDatabase {
  /** What it holds now: its epoch and version. */
  newest(): Promise<LogEnd>;
  /** About. */
  sizeBytes(): Promise<number>;
  /** @throws EngineError backup-failed where no state can be held */
  snapshot(signal: AbortSignal): Promise<RemoteSnapshot>;
  close(): void;
}
