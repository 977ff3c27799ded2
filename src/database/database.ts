import type { EpochTable, LogEnd } from '../replication/epochs.ts';

export type Operation = 'put' | 'delete' | 'noop';

export interface Entry {
  readonly epoch: number;
  readonly index: number;
  readonly op: Operation;
  /** Empty for noop. */
  readonly key: string;
  /** Empty unless op is put. */
  readonly value: string;
}

/** What a database knows of itself. `log` counts what was handed to `append`, `durableIndex` what would survive a power cut. */
export interface DatabaseState {
  readonly log: LogEnd;
  readonly durableIndex: number;
  /** Entries up to here are no longer in the log (but in the data). */
  readonly baseIndex: number;
  readonly epochs: EpochTable;
  readonly commitIndex: number;
  /** Lower epochs are refused; durable. */
  readonly sealedEpoch: number;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** A consistent copy of the committed data as of `end`. `rows` must be read to its end or returned. */
export interface DataSnapshot {
  readonly end: LogEnd;
  readonly epochs: EpochTable;
  readonly rows: AsyncIterable<KeyValue>;
}

export const MAX_KEY_BYTES = 1978;
export const MAX_VALUE_BYTES = 64 * 1024;

/**
 * An ordered log and the key space that its committed prefix makes. What is acknowledged (a resolved promise) survives a power cut; after a crash the
 * log is a prefix of what was appended (never a hole). One process at a time has it open, one caller at a time changes it (append, truncate, install
 * are not to overlap with each other; commit and reads may come at any time). A failed write breaks it for good: every later call throws
 * `database-broken`, because what is on the disk is no longer known; the owner ends the process.
 */
export interface Database {
  state(): DatabaseState;
  /** Appends entries whose indexes follow the log's end and whose epochs never fall. Several calls may be under way; they become durable in order, in groups. */
  append(entries: readonly Entry[]): Promise<void>;
  /** Entries from `fromIndex` on, at most about `maxBytes` (but at least one, where there is one), also those not durable yet. Throws below `baseIndex` + 1. */
  entries(fromIndex: number, maxBytes: number): readonly Entry[];
  /** Everything up to `index` is final: reads see it at once. Lower than before changes nothing. Made durable with the next write or soon after. */
  commit(index: number): void;
  /** Committed value, undefined when the key is absent. */
  get(key: string): string | undefined;
  /** Refuse epochs below from now on, durably. Lower than before changes nothing. */
  seal(epoch: number): Promise<void>;
  /** Removes what is above `afterIndex`. Throws where that is committed: that needs a snapshot of who has it right. */
  truncate(afterIndex: number): Promise<void>;
  /** Drops the log's beginning up to `throughIndex`, at most to what is committed. */
  trim(throughIndex: number): Promise<void>;
  /** Sees everything committed before the call. */
  snapshot(): Promise<DataSnapshot>;
  /**
   * Replaces log and data by a copy, all or nothing whenever the power fails; the seal stays. `wanted` is asked when all rows have arrived, right before
   * the change: false leaves everything as it was and resolves to false.
   */
  install(copy: DataSnapshot, wanted?: () => boolean): Promise<boolean>;
  close(): Promise<void>;
}

/** Why a key or a value cannot be stored, or null. */
export function keyProblem(key: string): string | null {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0) return 'a key must not be empty';
  return bytes > MAX_KEY_BYTES ? `a key has at most ${MAX_KEY_BYTES} bytes in UTF-8, this one ${bytes}` : null;
}
