/**
 * Where key spaces are cut into range files. A record begins a new file if a keyed hash of its key is low enough for its size: that depends on the
 * record alone, so a change moves the borders next to it at most, and equal content is cut equally wherever a scan begins. Files have `targetBytes` on
 * average, whatever the sizes of the records. The key keeps lengths from telling anything of known content.
 */
export interface CutRule {
  begins(key: Uint8Array, keyBytes: number, recordBytes: number): boolean;
}

export const TARGET_FILE_BYTES = 256 * 1024;
/** A file that reaches this without a border is cut all the same (one in three thousand). */
export const MAX_FILE_BYTES = 8 * TARGET_FILE_BYTES;

/** @param seed 32 bytes: the epoch's `chunk` key */
export function cutRule(seed: Buffer, targetBytes: number = TARGET_FILE_BYTES): CutRule {
  const [a, b] = [seed.readInt32LE(0), seed.readInt32LE(4)];
  const perByte = 2 ** 32 / targetBytes;
  return {
    begins: (key, keyBytes, recordBytes) => keyHash(a, b, key, keyBytes) < recordBytes * perByte,
  };
}

/** A fast hash of 32 bits, not a cryptographic one: it decides on lengths only. */
function keyHash(a: number, b: number, key: Uint8Array, keyBytes: number): number {
  let h = a;
  for (let i = 0; i < keyBytes; i++) h = Math.imul(h ^ key[i]!, 0x01000193);
  h ^= b;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
