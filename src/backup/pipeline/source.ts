import type { DataIdentity } from '../../database/data-reader.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import type { Manifest } from '../format/manifest.ts';
import type { LogTail } from '../log/log-tail.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import type { KnownBlobs } from './known.ts';
import type { Piece } from './plan.ts';
import type { Job } from './worker-messages.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What a backup is made of: opened for one backup, which closes it. */
export interface BackupSource {
  readonly open: () => Promise<OpenSource>;
}

export interface OpenSource {
  /** Its newest state. */
  newest(): Promise<LogEnd>;
  /** What each thread opens by itself to read; null: it is given rows. */
  readonly workerFolder: string | null;
  /** Fixes the state that is backed up. Once. */
  pin(pool: WorkerPool, signal: AbortSignal): Promise<PinnedSource>;
  close(): Promise<void>;
}

export interface PinnedSource {
  readonly identity: DataIdentity;
  /** Null where its log tells nothing. */
  readonly tail: LogTail | null;
  /** For the manifest's `database`. */
  readonly database: { readonly kind: string; readonly version: string } & Readonly<Record<string, string>>;
  /** About. */
  readonly totalBytes: number;
  /** What has to be read again of the backup before; null: everything. */
  piecesSince(before: {
    readonly parent: Manifest | null;
    readonly before: BackupFiles | null;
    readonly known: KnownBlobs;
  }): readonly Piece[] | null;
  /** Jobs that cover the whole key space. */
  wholeScan(workers: number, signal: AbortSignal): AsyncIterable<Job>;
}
