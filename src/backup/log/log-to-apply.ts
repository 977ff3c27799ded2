import type { LogEnd } from '../../replication/epochs.ts';
import type { RestoreRow } from '../../database/lmdb-restore.ts';

/** Log entries after the backup's version, in order, in batches that end at a version. */
export interface LogToApply {
  readonly stream: string;
  readonly through: number;
  batches(from: number, signal: AbortSignal): AsyncIterable<LogBatch>;
}

export interface LogBatch {
  readonly end: LogEnd;
  /** In their order. */
  readonly changes: readonly LogChange[];
}

/** A record that was set or deleted, or all from a key on up to another (`to` null: to the end). */
export type LogChange = RestoreRow | ClearedRange;

export interface ClearedRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array | null;
}
