import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import { EngineError } from '../../platform/errors.ts';
import { viewOf } from './blake3.ts';
import { blobId } from './ids.ts';
import { BoundedReader, varintBytes, writeVarint } from './varint.ts';

/**
 * A blob as it lies in a pack: codec, plain length, stored length, bytes. Blobs follow each other without gap, so a pack can be read without its index.
 * The plain length is known before decompressing, which therefore never gives more.
 */
const CODEC_PLAIN = 0;
const CODEC_ZSTD = 1;
/** Compressing must save this share, or the blob is stored plain: it is then faster to read. */
const LEAST_SAVING = 0.03;

/** Node takes no smaller one. */
const LEAST_CHUNK_BYTES = 64;

/** The largest blob that is written or read. */
export const MAX_BLOB_BYTES = 16 * 1024 * 1024;

/** @param level of zstd; null stores the blob plain */
export function encodeBlob(plain: Uint8Array, level: number | null): Buffer {
  const body = storedForm(plain, level);
  const blob = Buffer.allocUnsafe(1 + varintBytes(plain.length) + varintBytes(body.bytes.length) + body.bytes.length);
  writeStored(blob, 0, plain.length, body);
  return blob;
}

/** As encodeBlob, into `target` at `offset`; returns the offset after it. */
export function encodeBlobInto(target: Buffer, offset: number, plain: Uint8Array, level: number | null): number {
  return writeStored(target, offset, plain.length, storedForm(plain, level));
}

interface Stored {
  readonly codec: number;
  readonly bytes: Uint8Array;
}

function storedForm(plain: Uint8Array, level: number | null): Stored {
  if (plain.length > MAX_BLOB_BYTES) throw new EngineError('internal', `a blob of ${plain.length} bytes, at most ${MAX_BLOB_BYTES}`);
  const compressed = level === null ? null : compress(plain, level);
  const isSmaller = compressed !== null && compressed.length <= plain.length * (1 - LEAST_SAVING);
  return isSmaller ? { codec: CODEC_ZSTD, bytes: compressed } : { codec: CODEC_PLAIN, bytes: plain };
}

function writeStored(target: Buffer, offset: number, plainBytes: number, { codec, bytes }: Stored): number {
  target[offset] = codec;
  const at = writeVarint(target, writeVarint(target, offset + 1, plainBytes), bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

/** Reads the blob that bytes begins with, and what follows it. @throws EngineError backup-damaged, or backup-unsupported for an unknown codec */
export function decodeBlob(bytes: Uint8Array): { readonly plain: Buffer; readonly rest: Uint8Array } {
  const reader = new BoundedReader(bytes, 'blob');
  const codec = reader.byte();
  if (codec !== CODEC_PLAIN && codec !== CODEC_ZSTD)
    throw new EngineError('backup-unsupported', `blob of codec ${codec}: use a newer program`);
  const plainBytes = reader.varint();
  if (plainBytes > MAX_BLOB_BYTES) throw reader.refuse(`it states ${plainBytes} bytes, at most ${MAX_BLOB_BYTES} are read`);
  const body = reader.framed();
  const rest = bytes.subarray(reader.offset);
  const plain = codec === CODEC_PLAIN ? viewOf(body) : decompress(reader, body, plainBytes);
  if (plain.length !== plainBytes) throw reader.refuse(`it states ${plainBytes} bytes, there are ${plain.length}`);
  return { plain, rest };
}

/** Reads a blob that fills bytes and checks that it is the one that is meant. @throws EngineError backup-damaged or backup-unsupported */
export function openBlob(bytes: Uint8Array, idKey: Uint8Array, expectedId: Uint8Array): Buffer {
  const { plain, rest } = decodeBlob(bytes);
  if (rest.length > 0) throw new EngineError('backup-damaged', `blob refused: ${rest.length} bytes follow it`);
  if (!blobId(idKey, plain).equals(expectedId)) {
    throw new EngineError('backup-damaged', `blob refused: its content is not that of ${viewOf(expectedId).toString('hex')}`);
  }
  return plain;
}

/** What share of its plain bytes the blob before came to: the best guess at how much memory the next one takes. */
let lastShare = 0.5;

/**
 * Node collects output in pieces of 16 KiB unless it is told otherwise, which costs a third of the time; and pieces that are larger than needed make the garbage
 * collector run more often, which costs as much.
 */
function compress(plain: Uint8Array, level: number): Buffer {
  const chunkSize = Math.max(LEAST_CHUNK_BYTES, Math.ceil(plain.length * Math.min(1, lastShare * 1.25)));
  const compressed = zstdCompressSync(plain, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level } });
  lastShare = compressed.length / Math.max(1, plain.length);
  return compressed;
}

function decompress(reader: BoundedReader, body: Uint8Array, plainBytes: number): Buffer {
  try {
    // In one piece, which has room for one byte more: with none left it would ask for another piece before it knows that it is done.
    return zstdDecompressSync(body, {
      chunkSize: Math.max(LEAST_CHUNK_BYTES, plainBytes + 1),
      maxOutputLength: Math.max(1, plainBytes),
    });
  } catch (error) {
    throw new EngineError('backup-damaged', reader.refuse('it does not decompress to the length that it states').message, error);
  }
}
