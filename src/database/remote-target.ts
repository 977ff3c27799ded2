import type { SliceReader } from './remote-snapshot.ts';

export interface PutRow {
  readonly key: Uint8Array;
  /** null: the key is deleted. */
  readonly value: Uint8Array | null;
}

/**
 * An empty database over the network that is being filled. From `begin` to `finish` nobody else may use it; until then it stays so, whatever happens. The owner calls `close`.
 */
export interface RemoteTarget extends SliceReader {
  /** Also throws away what an interrupted restore has left. @throws EngineError bad-request where there is data: a restore never replaces anything */
  begin(job: string): Promise<void>;
  /** The rows are not needed any more when it returns. Several may be under way. @throws EngineError backup-failed where another restore has begun */
  put(rows: readonly PutRow[]): Promise<void>;
  /** What is there under each of these keys, in their order. */
  get(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Deletes all from a key on up to another (null: to the end). */
  clear(from: Uint8Array, to: Uint8Array | null): Promise<void>;
  /** Makes it live: what is served next is in an epoch above this one. */
  finish(highestEpoch: number): Promise<void>;
  /** After a failure: what stays as it is, and how that is ended, in sentences for whoever gave the order; null: nothing. It never rejects. */
  left(): Promise<string | null>;
  close(): void;
}
