import { EngineError } from '../../platform/errors.ts';
import { viewOf } from './blake3.ts';
import { blobId } from './ids.ts';
import { BoundedReader, varintBytes, writeVarint } from './varint.ts';
import { compressInto, decompressInto, zstdBound } from './zstd.ts';

/**
 * A blob as it lies in a pack: codec, plain length, stored length, bytes. Blobs follow each other without gap, so a pack can be read without its index.
 * The plain length is known before decompressing, which therefore never gives more.
 */
const CODEC_PLAIN = 0;
const CODEC_ZSTD = 1;
/** Compressing must save this share, or the blob is stored plain: it is then faster to read. */
const LEAST_SAVING = 0.03;

/** The largest blob that is written or read. */
export const MAX_BLOB_BYTES = 16 * 1024 * 1024;

/** What comes before the stored bytes, at most. */
const MAX_HEAD_BYTES = 1 + 5 + 5;

/** @param level of zstd; null stores the blob plain */
export function encodeBlob(plain: Uint8Array, level: number | null): Buffer {
  const room = Buffer.allocUnsafe(maxBlobBytes(plain.length));
  return Buffer.from(room.subarray(0, encodeBlobInto(room, 0, plain, level)));
}

/** Room that the blob of so many bytes may need while it is written. */
export function maxBlobBytes(plainBytes: number): number {
  return MAX_HEAD_BYTES + zstdBound(plainBytes);
}

/** As encodeBlob, into `target` at `offset`, which has room for maxBlobBytes; returns the offset after it. */
export function encodeBlobInto(target: Buffer, offset: number, plain: Uint8Array, level: number | null): number {
  if (plain.length > MAX_BLOB_BYTES) throw new EngineError('internal', `a blob of ${plain.length} bytes, at most ${MAX_BLOB_BYTES}`);
  const framedAt = writeVarint(target, offset + 1, plain.length);
  // The length of the frame stands before it, and is known after: it is written where it most likely belongs, and moved where not.
  const guess = framedAt + varintBytes(plain.length >>> 2);
  const frameBytes = level === null ? null : compressInto(plain, level, target, guess);
  const isSmaller = frameBytes !== null && frameBytes <= plain.length * (1 - LEAST_SAVING);
  target[offset] = isSmaller ? CODEC_ZSTD : CODEC_PLAIN;
  const storedBytes = isSmaller ? frameBytes : plain.length;
  const at = framedAt + varintBytes(storedBytes);
  if (!isSmaller) target.set(plain, at);
  else if (at !== guess) target.copyWithin(at, guess, guess + storedBytes);
  writeVarint(target, framedAt, storedBytes);
  return at + storedBytes;
}

/** Memory for so many bytes of plaintext; asked for only after a length that is in bounds. */
export type Memory = (bytes: number) => Buffer;

/**
 * Reads the blob that bytes begins with, and what follows it. @throws EngineError backup-damaged, or backup-unsupported for an unknown codec
 * @param memory where the plaintext is put; without it a blob that is stored plain is a view
 */
export function decodeBlob(bytes: Uint8Array, memory?: Memory): { readonly plain: Buffer; readonly rest: Uint8Array } {
  const reader = new BoundedReader(bytes, 'blob');
  const codec = reader.byte();
  if (codec !== CODEC_PLAIN && codec !== CODEC_ZSTD)
    throw new EngineError('backup-unsupported', `blob of codec ${codec}: use a newer program`);
  const plainBytes = reader.varint();
  if (plainBytes > MAX_BLOB_BYTES) throw reader.refuse(`it states ${plainBytes} bytes, at most ${MAX_BLOB_BYTES} are read`);
  const body = reader.framed();
  const rest = bytes.subarray(reader.offset);
  if (codec === CODEC_ZSTD) return { plain: decompress(reader, body, memory?.(plainBytes) ?? Buffer.allocUnsafeSlow(plainBytes)), rest };
  if (body.length !== plainBytes) throw reader.refuse(`it states ${plainBytes} bytes, there are ${body.length}`);
  if (memory === undefined) return { plain: viewOf(body), rest };
  const plain = memory(plainBytes);
  plain.set(body);
  return { plain, rest };
}

/** Reads a blob that fills bytes and checks that it is the one that is meant. @throws EngineError backup-damaged or backup-unsupported */
export function openBlob(bytes: Uint8Array, idKey: Uint8Array, expectedId: Uint8Array, memory?: Memory): Buffer {
  const { plain, rest } = decodeBlob(bytes, memory);
  if (rest.length > 0) throw new EngineError('backup-damaged', `blob refused: ${rest.length} bytes follow it`);
  if (!blobId(idKey, plain).equals(expectedId)) {
    throw new EngineError('backup-damaged', `blob refused: its content is not that of ${viewOf(expectedId).toString('hex')}`);
  }
  return plain;
}

function decompress(reader: BoundedReader, body: Uint8Array, plain: Buffer): Buffer {
  let bytes: number;
  try {
    bytes = decompressInto(body, plain);
  } catch (error) {
    throw new EngineError('backup-damaged', reader.refuse('it does not decompress to the length that it states').message, error);
  }
  if (bytes !== plain.length) throw reader.refuse(`it states ${plain.length} bytes, there are ${bytes}`);
  return plain;
}
