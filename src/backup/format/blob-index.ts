import { EngineError } from '../../platform/errors.ts';
import { viewOf } from './blake3.ts';
import { BLOB_ID_BYTES, PACK_ID_BYTES } from './ids.ts';
import { BoundedReader } from './varint.ts';

/** Where a blob lies: in the plaintext of a pack, at offset, for storedBytes. */
export interface BlobPlace {
  readonly blob: Uint8Array;
  readonly pack: Uint8Array;
  readonly offset: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** An index file: places of one length, in the order of their blobs' ids, each blob once. So one is found without decoding all. */
export interface BlobIndex {
  readonly count: number;
  at(n: number): BlobPlace;
  find(blob: Uint8Array): BlobPlace | null;
}

const MAGIC = Buffer.from('CDRI');
const VERSION = 1;
const HEADER_BYTES = MAGIC.length + 1 + 4;
const PLACE_BYTES = BLOB_ID_BYTES + PACK_ID_BYTES + 3 * 4;

/** Sorts the places. @throws EngineError internal when a blob has two */
export function encodeBlobIndex(places: readonly BlobPlace[]): Buffer {
  const sorted = places.toSorted((a, b) => Buffer.compare(a.blob, b.blob));
  const file = Buffer.alloc(HEADER_BYTES + sorted.length * PLACE_BYTES);
  MAGIC.copy(file);
  file[4] = VERSION;
  file.writeUInt32BE(sorted.length, 5);
  for (const [n, place] of sorted.entries()) {
    if (place.blob.length !== BLOB_ID_BYTES || place.pack.length !== PACK_ID_BYTES)
      throw new EngineError('internal', 'an id of the wrong length');
    if (n > 0 && Buffer.compare(sorted[n - 1]!.blob, place.blob) === 0)
      throw new EngineError('internal', 'a blob has two places in an index');
    const at = HEADER_BYTES + n * PLACE_BYTES;
    file.set(place.blob, at);
    file.set(place.pack, at + BLOB_ID_BYTES);
    file.writeUInt32BE(place.offset, at + 48);
    file.writeUInt32BE(place.storedBytes, at + 52);
    file.writeUInt32BE(place.plainBytes, at + 56);
  }
  return file;
}

/** Checks length and order. @throws EngineError backup-damaged, or backup-unsupported for a newer version */
export function decodeBlobIndex(bytes: Uint8Array): BlobIndex {
  const reader = new BoundedReader(bytes, 'index');
  if (!MAGIC.equals(reader.bytes(4))) throw reader.refuse('this is no index');
  const version = reader.byte();
  if (version > VERSION)
    throw new EngineError('backup-unsupported', `index of version ${version}, this program reads ${VERSION}: use a newer one`);
  if (version !== VERSION) throw reader.refuse(`version ${version}`);
  const count = viewOf(reader.bytes(4)).readUInt32BE(0);
  if (count * PLACE_BYTES !== reader.remaining)
    throw reader.refuse(`${count} places announced, there are ${reader.remaining / PLACE_BYTES}`);
  const file = viewOf(bytes);
  const idAt = (n: number): Buffer => file.subarray(HEADER_BYTES + n * PLACE_BYTES, HEADER_BYTES + n * PLACE_BYTES + BLOB_ID_BYTES);
  for (let n = 1; n < count; n++)
    if (Buffer.compare(idAt(n - 1), idAt(n)) >= 0) throw reader.refuse(`place ${n} is not in the order of ids`);
  const at = (n: number): BlobPlace => {
    if (!Number.isInteger(n) || n < 0 || n >= count) throw new RangeError(`no place ${n} of ${count}`);
    const begin = HEADER_BYTES + n * PLACE_BYTES;
    return {
      blob: idAt(n),
      pack: file.subarray(begin + BLOB_ID_BYTES, begin + BLOB_ID_BYTES + PACK_ID_BYTES),
      offset: file.readUInt32BE(begin + 48),
      storedBytes: file.readUInt32BE(begin + 52),
      plainBytes: file.readUInt32BE(begin + 56),
    };
  };
  return {
    count,
    at,
    find: (blob) => {
      let low = 0;
      for (let high = count; low < high;) {
        const middle = (low + high) >>> 1;
        if (Buffer.compare(idAt(middle), blob) < 0) low = middle + 1;
        else high = middle;
      }
      return low < count && idAt(low).equals(blob) ? at(low) : null;
    },
  };
}
