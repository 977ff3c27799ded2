import { crc32c } from '@node-rs/crc32';
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../platform/errors.ts';
import { encodeBlobIndex, type BlobPlace } from '../format/blob-index.ts';
import { decodeBlob } from '../format/blob.ts';
import { openFloe, sealFloe } from '../format/floe.ts';
import { blobId } from '../format/ids.ts';
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

/** Stores the packs of a backup that is being made, and the indexes that name their blobs' places. */
export class PackStore {
  readonly packs: StoredRef[] = [];
  readonly indexes: StoredRef[] = [];
  /** Bytes that travelled. */
  storedBytes = 0;
  /** Packs that a run before had stored already. */
  adopted = 0;
  readonly #repository: Repository;
  readonly #signal: AbortSignal;
  readonly #onFirst: () => Promise<void>;
  #places: BlobPlace[] = [];
  #sinceCheckpoint = 0;
  #writing: Promise<void> = Promise.resolve();

  /** @param onFirst waited for when the first pack is stored */
  constructor(repository: Repository, signal: AbortSignal, onFirst: () => Promise<void> = () => Promise.resolve()) {
    this.#repository = repository;
    this.#signal = signal;
    this.#onFirst = onFirst;
  }

  /** Durable when it returns. May be called for several packs at once. */
  async put(pack: PackToStore): Promise<void> {
    const { name, body, id } = pack;
    const result = await this.#repository.store.put(name, body, { crc32c: pack.crc32c, signal: this.#signal });
    if (result.outcome === 'stored') {
      this.storedBytes += body.length;
      this.#note({ id, bytes: body.length, crc32c: pack.crc32c, generation: result.object.generation }, pack.blobs);
    } else await this.#adopt(pack);
    if (this.packs.length === 1) await this.#onFirst();
    if (this.#sinceCheckpoint >= CHECKPOINT_BYTES) await this.checkpoint();
  }

  /** Writes an index of what has no index yet. */
  async checkpoint(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeIndex());
    await this.#writing;
  }

  /** The pack is there already, with the same blobs in the same order. They may lie elsewhere in it, so it is read. */
  async #adopt(pack: PackToStore): Promise<void> {
    const { id, blobs } = pack;
    const { store, keys, repo, epoch } = this.#repository;
    const name = packName(id);
    const object = await store.stat(name, this.#signal);
    const found = await store.get(name, { maxBytes: object?.bytes ?? 0, signal: this.#signal });
    if (object === null || found.outcome === 'not-found') throw new EngineError('backup-failed', `${name} was deleted while it was stored`);
    const placed = this.#placesIfSound(() => {
      const plain = openFloe(keys.pack, objectAad({ type: 'pack', name, repo, kid: keys.kid, epoch }), found.body);
      return placesIn(plain, keys.id, blobs);
    });
    if (placed === null) {
      // What stands there is damaged: nobody can read it, and this is what it was. Older backups are mended by it, too.
      await store.delete(name, { generation: found.generation, signal: this.#signal });
      await this.put(pack);
      return;
    }
    this.adopted++;
    this.#note({ id, bytes: found.body.length, crc32c: crc32c(found.body), generation: found.generation }, placed);
  }

  #placesIfSound(read: () => readonly PlacedBlob[]): readonly PlacedBlob[] | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof EngineError && error.code === 'backup-damaged') return null;
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
