import { crc32c } from '@node-rs/crc32';
import { MAX_FILE_BYTES } from '../chunking/cut-rule.ts';
import type { BlobPlace } from '../format/blob-index.ts';
import { encodeBlobInto } from '../format/blob.ts';
import { floeSealedBytes, sealFloeInto } from '../format/floe.ts';
import { packId } from '../format/ids.ts';
import { objectAad, packName } from '../format/object-name.ts';

/** What packs are written with; plain data, so that it can be given to a worker. */
export interface PackSettings {
  readonly repo: string;
  readonly kid: string;
  readonly epoch: bigint;
  readonly idKey: Uint8Array;
  readonly packKey: Uint8Array;
  /** zstd level; null stores plain. */
  readonly level: number | null;
  /** A pack is closed when it has this many bytes. */
  readonly packBytes: number;
}

export type PlacedBlob = Omit<BlobPlace, 'pack'>;

export interface SealedPack {
  readonly id: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly crc32c: number;
  /** Where its blobs lie in its plaintext. */
  readonly blobs: readonly PlacedBlob[];
}

/** What a range file may need at most: it is cut after the record that exceeds its limit. */
const FILE_ROOM_BYTES = MAX_FILE_BYTES + 256 * 1024;

/** The largest pack as it is stored: the last blob may exceed the limit, by a range file where nothing else is said. */
export function maxPackBytes({ packBytes }: Pick<PackSettings, 'packBytes'>, lastBlobBytes = FILE_ROOM_BYTES): number {
  return floeSealedBytes(packBytes + lastBlobBytes);
}

/** Collects blobs and encrypts them as one pack. */
export class PackBuilder {
  readonly #settings: PackSettings;
  readonly #plain: Buffer;
  #used = 0;
  #blobs: PlacedBlob[] = [];

  /** lastBlobBytes: room for the largest blob, as it may be while it is written (maxBlobBytes). */
  constructor(settings: PackSettings, lastBlobBytes?: number) {
    this.#settings = settings;
    this.#plain = Buffer.allocUnsafeSlow(maxPackBytes(settings, lastBlobBytes));
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  get isFull(): boolean {
    return this.#used >= this.#settings.packBytes;
  }

  /** Compresses and adds a blob; `plain` may be overwritten afterwards. */
  add(id: Buffer, plain: Uint8Array): void {
    const end = encodeBlobInto(this.#plain, this.#used, plain, this.#settings.level);
    this.#blobs.push({ blob: id, offset: this.#used, storedBytes: end - this.#used, plainBytes: plain.length });
    this.#used = end;
  }

  /** Encrypts what was added into memory of at least maxPackBytes, and begins anew. */
  seal(memory: Buffer): SealedPack {
    const { repo, kid, epoch, idKey, packKey } = this.#settings;
    const blobs = this.#blobs;
    const id = packId(
      idKey,
      blobs.map(({ blob }) => blob),
    ).toString('hex');
    const name = packName(id);
    const bytes = sealFloeInto(packKey, objectAad({ type: 'pack', name, repo, kid, epoch }), this.#plain.subarray(0, this.#used), memory);
    this.#used = 0;
    this.#blobs = [];
    return { id, name, bytes, crc32c: crc32c(bytes), blobs };
  }
}
