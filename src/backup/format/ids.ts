import { EngineError } from '../../platform/errors.ts';
import { keyedHash } from './blake3.ts';

/**
 * Ids by content, under the `id` key of the epoch. The first byte hashed says what is named, so a list of blobs can never have the id of a blob that
 * happens to hold the same bytes.
 */
const BLOB = Buffer.of(0);
const PACK = Buffer.of(1);
const LIST = Buffer.of(2);

export const BLOB_ID_BYTES = 32;
export const PACK_ID_BYTES = 16;

/** Id of a blob: of its plaintext before compression. 32 bytes. */
export function blobId(idKey: Uint8Array, plain: Uint8Array): Buffer {
  return keyedHash(idKey, BLOB, plain);
}

/** Id of a pack: of its blobs' ids in order. 16 bytes. A backup that is begun again gives its packs the same names. */
export function packId(idKey: Uint8Array, blobIds: readonly Uint8Array[]): Buffer {
  return keyedHash(idKey, PACK, ...wholeIds(blobIds)).subarray(0, PACK_ID_BYTES);
}

/** Root of a list of blobs in order: equal roots are equal content (the range files of a backup, of a restored database). 32 bytes. */
export function listRoot(idKey: Uint8Array, blobIds: readonly Uint8Array[]): Buffer {
  return keyedHash(idKey, LIST, ...wholeIds(blobIds));
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** A ULID: 48 bits of wall time in milliseconds and 80 random bits; sorts by time. */
export function backupId(wallMs: number, random: Uint8Array): string {
  if (!Number.isInteger(wallMs) || wallMs < 0 || wallMs >= 2 ** 48)
    throw new EngineError('internal', `${wallMs} is no time for a backup id`);
  if (random.length !== 10) throw new EngineError('internal', 'a backup id takes 10 random bytes');
  let rest = (BigInt(wallMs) << 80n) | BigInt(`0x${Buffer.from(random).toString('hex')}`);
  let text = '';
  for (let n = 0; n < 26; n++) {
    text = CROCKFORD[Number(rest & 31n)]! + text;
    rest >>= 5n;
  }
  return text;
}

/** When an id was made, by the clock of who made it; infinity where it is none. */
export function idTimeMs(id: string): number {
  if (!isBackupId(id)) return Number.POSITIVE_INFINITY;
  let timeMs = 0;
  for (const digit of id.slice(0, 10)) timeMs = timeMs * 32 + CROCKFORD.indexOf(digit);
  return timeMs;
}

export function isBackupId(text: string): boolean {
  return ULID.test(text);
}

function wholeIds(blobIds: readonly Uint8Array[]): readonly Uint8Array[] {
  for (const id of blobIds) if (id.length !== BLOB_ID_BYTES) throw new EngineError('internal', `a blob id has 32 bytes, not ${id.length}`);
  return blobIds;
}
