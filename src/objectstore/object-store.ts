/**
 * A store of whole objects under names, as a bucket has them. Reading after writing and listing after writing are consistent.
 *
 * Objects are in memory when written and read: the largest is a manifest. Whatever is bigger is many objects. Implementations are safe for any number
 * of calls at the same time, and keep the conformance suite (conformance.ts).
 *
 * Errors: what callers must expect is in the results. Otherwise EngineError `object-store-transient` (nothing is known of the outcome; trying again
 * may help), `object-store-failed` (it will not), `backup-damaged` (bytes differ from their checksum), `bad-request` (a name or number out of range).
 * Adapters do not try again by themselves; the decorator in retry.ts does.
 */
export interface ObjectStore {
  readonly supports: {
    /** put with a generation replaces atomically (a lease can live here). */
    readonly conditionalReplace: boolean;
    /** The store keeps a CRC32C of each object and checks it on its own: else StoredObject.crc32c is null. */
    readonly storedChecksums: boolean;
  };
  /** Durable when it returns. Without `replace` an object is only ever created: the name must be free. A reader sees all of an object or none. */
  put(name: string, body: Uint8Array, options?: PutOptions): Promise<PutOutcome>;
  /** Reads an object, or the range of it that exists; at most maxBytes of it. A whole read is checked against the stored CRC32C, where there is one. */
  get(name: string, options: GetOptions): Promise<GetOutcome>;
  stat(name: string, signal?: AbortSignal): Promise<StoredObject | null>;
  /** All objects whose name begins with prefix and is after `after`, ordered by the bytes of their names. */
  list(prefix: string, options?: { readonly after?: string; readonly signal?: AbortSignal }): AsyncIterable<StoredObject>;
  /** With a generation, deletes only that one. Deleting what is not there is no error. */
  delete(name: string, options?: { readonly generation?: string; readonly signal?: AbortSignal }): Promise<DeleteOutcome>;
}

export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
  readonly crc32c: number | null;
  /** Opaque; differs for each object that was ever stored under the name. */
  readonly generation: string;
}

export interface PutOptions {
  /** Replaces just this generation. Only with supports.conditionalReplace. */
  readonly replace?: { readonly generation: string };
  /** Of the body, where the caller has it: the put is refused as damaged when the body does not have it any more. */
  readonly crc32c?: number;
  readonly signal?: AbortSignal;
}

export interface GetOptions {
  /** Bytes [begin, end) of the object. A range that begins at or after the end of the object gives no bytes. */
  readonly range?: { readonly begin: number; readonly end: number };
  /** More than this is refused and never held. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export type PutOutcome = { readonly outcome: 'stored'; readonly object: StoredObject } | { readonly outcome: 'exists' | 'changed' };
export type GetOutcome =
  { readonly outcome: 'found'; readonly body: Buffer; readonly generation: string } | { readonly outcome: 'not-found' };
export type DeleteOutcome = { readonly outcome: 'deleted' | 'not-found' | 'changed' };
