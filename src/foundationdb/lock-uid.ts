import { createHash } from 'node:crypto';

/**
 * The UID that our locks carry: who locked, for which system, in which epoch. A lock of FoundationDB is 128 bits of the locker's choosing, told as 32 hexadecimal digits (two
 * u64, the first before the second) and stored under `\xff/dbLocked` as a versionstamp and both u64 in little-endian order.
 *
 *     first  u64   'CDR1' (4 bytes, big-endian) and 4 bytes of SHA-256 of the system's name
 *     second u64   the epoch
 */
export interface LockUid {
  readonly system: string;
  readonly epoch: number;
}

/** What is done under a lock. */
export type LockedWork = 'backup' | 'restore';

/** The system whose name a lock of such work carries: one work never takes another's lock for its own. */
export const lockSystem = (work: LockedWork, cluster: string): string => `${work} of ${cluster}`;

/** What is known of a lock: ours with its epoch, or somebody else's (an operator's `fdbcli lock`, a restore, fdbdr). */
export type LockHolder = { readonly kind: 'ours'; readonly epoch: number } | { readonly kind: 'foreign'; readonly uid: string };

const MARK = Buffer.from('CDR1', 'latin1');
const VERSIONSTAMP_BYTES = 10;
const HEX = /^[0-9a-f]{32}$/;

/** 32 hexadecimal digits, as the special key and `fdbcli lock` take it. Throws RangeError for an epoch that is not a whole number from 0 to 2^53 - 1. */
export function lockUid({ system, epoch }: LockUid): string {
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new RangeError(`epoch ${epoch} cannot be carried by a lock`);
  const second = Buffer.alloc(8);
  second.writeBigUInt64BE(BigInt(epoch));
  return Buffer.concat([MARK, systemMark(system), second]).toString('hex');
}

/** Whose lock this UID is. Throws RangeError where it is no UID at all. */
export function readLockUid(uid: string, system: string): LockHolder {
  if (!HEX.test(uid)) throw new RangeError(`not the UID of a lock: ${JSON.stringify(uid.slice(0, 64))}`);
  const bytes = Buffer.from(uid, 'hex');
  const epoch = bytes.readBigUInt64BE(8);
  const ours = bytes.subarray(0, 4).equals(MARK) && bytes.subarray(4, 8).equals(systemMark(system));
  return ours && epoch <= BigInt(Number.MAX_SAFE_INTEGER) ? { kind: 'ours', epoch: Number(epoch) } : { kind: 'foreign', uid };
}

/** Whether it is a lock of coditect-dr at all, for whatever system. */
export function isOurMark(uid: string): boolean {
  return uid.startsWith(MARK.toString('hex'));
}

/** The UID in what `\xff/dbLocked` holds. Throws RangeError for a value of another length. */
export function uidOfStoredLock(value: Buffer): string {
  if (value.length !== VERSIONSTAMP_BYTES + 16) throw new RangeError(`a stored lock has 26 bytes, this has ${value.length}`);
  return uidOfBytes(value.subarray(VERSIONSTAMP_BYTES));
}

/** A UID as FoundationDB stores it: both u64 in little-endian order. Throws RangeError for another length. */
export function uidOfBytes(stored: Buffer): string {
  if (stored.length !== 16) throw new RangeError(`a stored UID has 16 bytes, this has ${stored.length}`);
  const swapped = Buffer.alloc(16);
  swapped.writeBigUInt64BE(stored.readBigUInt64LE(0), 0);
  swapped.writeBigUInt64BE(stored.readBigUInt64LE(8), 8);
  return swapped.toString('hex');
}

/** When it was locked: the version of that commit. */
export function versionOfStoredLock(value: Buffer): number {
  return Number(value.readBigUInt64BE(0));
}

function systemMark(system: string): Buffer {
  return createHash('sha256').update(system).digest().subarray(0, 4);
}
