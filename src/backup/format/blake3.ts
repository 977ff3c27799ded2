import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';
import { EngineError } from '../../platform/errors.ts';

export const HASH_BYTES = 32;

/** A Buffer on the same memory; the native functions take nothing else. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** BLAKE3, 32 bytes. Against accidents only: anyone can compute it. */
export function hash(bytes: Uint8Array): Buffer {
  return blake3(viewOf(bytes));
}

/** BLAKE3 in keyed mode, 32 bytes, over the parts one after the other: without the key nobody can tell what content an id stands for. */
export function keyedHash(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  if (key.length !== 32) throw new EngineError('internal', `a BLAKE3 key has 32 bytes, not ${key.length}`);
  const hasher = Blake3Hasher.newKeyed(viewOf(key));
  for (const part of parts) hasher.update(viewOf(part));
  return hasher.digestBuffer();
}
