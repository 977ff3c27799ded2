import { crc32c } from '@node-rs/crc32';
import { randomBytes } from 'node:crypto';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import { encodeBlobIndex, type BlobPlace } from '../format/blob-index.ts';
import { decodeBlob, encodeBlob } from '../format/blob.ts';
import { openFloe, sealFloe } from '../format/floe.ts';
import { blobId, packId } from '../format/ids.ts';
import { indexName, objectAad, packName } from '../format/object-name.ts';
import type { Repository } from '../repository/repository.ts';
import type { StoredRef } from './known.ts';
import type { PlacedBlob } from './pack-builder.ts';

export interface PackToStore {
  readonly id: string;
  readonly name: string;
  readonly body: Buffer;
  readonly crc32c: number;
  readonly blobs: readonly PlacedBlob[];
}

/** An index is written after so much: what a run that is cut off has stored until then is found by the next one. */
const CHECKPOINT_BYTES = 128 * 1024 * 1024;

export interface PackStoreOptions {
  readonly repository: Repository;
  /** Names that are marked for deletion or damaged. */
  readonly excluded: ReadonlySet<string>;
  /** Waited for when the first pack is stored. */
  readonly onFirst: () => Promise<void>;
}

/** Stores the packs of a backup that is being made, and the indexes that name their blobs' places. */
export class PackStore {
  readonly packs: StoredRef[] = [];
  readonly indexes: StoredRef[] = [];
  /** Bytes that travelled. */
  storedBytes = 0;
  /** Packs that a run before had stored already. */
  adopted = 0;
  readonly #repository: Repository;
  readonly #excluded: ReadonlySet<string>;
  readonly #onFirst: () => Promise<void>;
  readonly #signal: AbortSignal;
  #places: BlobPlace[] = [];
  #sinceCheckpoint = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: PackStoreOptions, signal: AbortSignal) {
    this.#repository = options.repository;
    this.#excluded = options.excluded;
    this.#onFirst = options.onFirst;
    this.#signal = signal;
  }

  /** Durable when it returns. May be called for several packs at once. */
  async put(pack: PackToStore): Promise<void> {
    if (this.#excluded.has(pack.name) || !((await this.#store(pack)) || (await this.#adopt(pack)))) await this.#storeElsewhere(pack);
    if (this.packs.length === 1) await this.#onFirst();
    if (this.#sinceCheckpoint >= CHECKPOINT_BYTES) await this.checkpoint();
  }

  /** Writes an index of what has no index yet. */
  async checkpoint(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeIndex());
    await this.#writing;
  }

  /** false: the name is taken. */
  async #store({ id, name, body, crc32c: sum, blobs }: PackToStore): Promise<boolean> {
    const result = await this.#repository.store.put(name, body, { crc32c: sum, signal: this.#signal });
    if (result.outcome !== 'stored') return false;
    this.storedBytes += body.length;
    this.#note({ id, bytes: body.length, crc32c: sum, generation: result.object.generation }, blobs);
    return true;
  }

  /** The pack is there already, with the same blobs in the same order. They may lie elsewhere in it, so it is read. false: what is there is damaged. */
  async #adopt({ id, name, blobs }: PackToStore): Promise<boolean> {
    const { store, keys, repo, epoch } = this.#repository;
    const object = await store.stat(name, this.#signal);
    const found = await store.get(name, { maxBytes: object?.bytes ?? 0, signal: this.#signal });
    if (object === null || found.outcome === 'not-found') throw new EngineError('backup-failed', `${name} was deleted while it was stored`);
    const placed = this.#placesIfSound(() => {
      const plain = openFloe(keys.pack, objectAad({ type: 'pack', name, repo, kid: keys.kid, epoch }), found.body);
      return placesIn(plain, keys.id, blobs);
    });
    if (placed === null) return false;
    this.adopted++;
    this.#note({ id, bytes: found.body.length, crc32c: crc32c(found.body), generation: found.generation }, placed);
    return true;
  }

  /**
   * The pack of that name is damaged, or marked, and then whoever marked it may delete it yet. It is left alone, and the same blobs are stored under another name, which one more blob of random bytes gives
   * them: nothing is ever deleted to make room for something else.
   */
  async #storeElsewhere({ name, body, blobs }: PackToStore): Promise<void> {
    const { keys, repo, epoch } = this.#repository;
    const identity = { type: 'pack', repo, kid: keys.kid, epoch } as const;
    const plain = openFloe(keys.pack, objectAad({ ...identity, name }), body);
    const salt = randomBytes(16);
    const extra = encodeBlob(salt, null);
    const more = { blob: blobId(keys.id, salt), offset: plain.length, storedBytes: extra.length, plainBytes: salt.length };
    const all = [...blobs, more];
    const id = packId(
      keys.id,
      all.map(({ blob }) => blob),
    ).toString('hex');
    const other = packName(id);
    const sealed = sealFloe(keys.pack, objectAad({ ...identity, name: other }), Buffer.concat([plain, extra]));
    if (!(await this.#store({ id, name: other, body: sealed, crc32c: crc32c(sealed), blobs: all })))
      throw new EngineError('backup-failed', `${other} is taken`);
  }

  #placesIfSound(read: () => readonly PlacedBlob[]): readonly PlacedBlob[] | null {
    try {
      return read();
    } catch (error) {
      if (isEngineError(error, 'backup-damaged')) return null;
      throw error;
    }
  }

  #note(ref: StoredRef, blobs: readonly PlacedBlob[]): void {
    this.packs.push(ref);
    const pack = Buffer.from(ref.id, 'hex');
    for (const blob of blobs) this.#places.push({ ...blob, pack });
    this.#sinceCheckpoint += ref.bytes;
  }

  async #writeIndex(): Promise<void> {
    const { store, keys, repo, epoch } = this.#repository;
    const places = this.#places;
    if (places.length === 0) return;
    this.#places = [];
    this.#sinceCheckpoint = 0;
    const id = randomBytes(16).toString('hex');
    const name = indexName(epoch, id);
    const body = sealFloe(keys.meta, objectAad({ type: 'index', name, repo, kid: keys.kid, epoch }), encodeBlobIndex(places));
    const sum = crc32c(body);
    const result = await store.put(name, body, { crc32c: sum, signal: this.#signal });
    if (result.outcome !== 'stored') throw new EngineError('backup-failed', `${name} is taken`);
    this.storedBytes += body.length;
    this.indexes.push({ id, bytes: body.length, crc32c: sum, generation: result.object.generation });
  }
}

/** Where blobs lie in a pack's plaintext, from the pack itself. @throws EngineError backup-damaged where they are not those expected */
export function placesIn(plain: Buffer, idKey: Uint8Array, expected: readonly { readonly blob: Uint8Array }[]): readonly PlacedBlob[] {
  const placed: PlacedBlob[] = [];
  let rest: Uint8Array = plain;
  while (rest.length > 0) {
    const offset = plain.length - rest.length;
    const decoded = decodeBlob(rest);
    const blob = blobId(idKey, decoded.plain);
    placed.push({ blob, offset, storedBytes: rest.length - decoded.rest.length, plainBytes: decoded.plain.length });
    rest = decoded.rest;
  }
  const same = placed.length === expected.length && placed.every(({ blob }, n) => Buffer.compare(blob, expected[n]!.blob) === 0);
  if (!same) throw new EngineError('backup-damaged', 'the pack does not hold the blobs that its name stands for');
  return placed;
}
