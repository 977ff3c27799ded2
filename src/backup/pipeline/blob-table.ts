import { EngineError } from '../../platform/errors.ts';
import { BLOB_ID_BYTES } from '../format/ids.ts';

const SLOT_BYTES = BLOB_ID_BYTES + 8;
const HEADER_BYTES = 8;
const EMPTY = -1;

/** Where a blob that is in the repository already stands: place `n` of index `index` (numbers of the caller). */
export interface TableEntry {
  readonly index: number;
  readonly n: number;
}

/** A table of blob ids in memory that all workers see: built once, read only afterwards, 80 bytes a blob. Ids are hashes, so they are their own hash. */
export class BlobTable {
  readonly memory: SharedArrayBuffer;
  readonly #ids: Buffer;
  readonly #refs: DataView;
  readonly #slots: number;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#ids = Buffer.from(memory);
    this.#refs = new DataView(memory);
    this.#slots = this.#refs.getUint32(0);
  }

  static create(blobs: number): BlobTable {
    const slots = Math.max(16, 2 * blobs);
    const memory = new SharedArrayBuffer(HEADER_BYTES + slots * SLOT_BYTES);
    const view = new DataView(memory);
    view.setUint32(0, slots);
    for (let slot = 0; slot < slots; slot++) view.setInt32(HEADER_BYTES + slot * SLOT_BYTES + BLOB_ID_BYTES, EMPTY);
    return new BlobTable(memory);
  }

  static attach(memory: SharedArrayBuffer): BlobTable {
    return new BlobTable(memory);
  }

  /** The first place given for a blob stays. */
  add(id: Uint8Array, entry: TableEntry): void {
    const at = this.#slotOf(id);
    if (this.#refs.getInt32(at + BLOB_ID_BYTES) !== EMPTY) return;
    this.#ids.set(id, at);
    this.#refs.setInt32(at + BLOB_ID_BYTES, entry.index);
    this.#refs.setInt32(at + BLOB_ID_BYTES + 4, entry.n);
  }

  find(id: Uint8Array): TableEntry | null {
    const at = this.#slotOf(id);
    const index = this.#refs.getInt32(at + BLOB_ID_BYTES);
    return index === EMPTY ? null : { index, n: this.#refs.getInt32(at + BLOB_ID_BYTES + 4) };
  }

  /** Offset of the slot that holds the id, or of the empty one where it belongs. */
  #slotOf(id: Uint8Array): number {
    let slot = Buffer.from(id.buffer, id.byteOffset, 4).readUInt32LE(0) % this.#slots;
    for (let tried = 0; tried < this.#slots; tried++) {
      const at = HEADER_BYTES + slot * SLOT_BYTES;
      if (this.#refs.getInt32(at + BLOB_ID_BYTES) === EMPTY) return at;
      if (this.#ids.compare(id, 0, BLOB_ID_BYTES, at, at + BLOB_ID_BYTES) === 0) return at;
      slot = (slot + 1) % this.#slots;
    }
    throw new EngineError('internal', 'the table of blobs is full');
  }
}
