import type { Database, Transaction } from 'foundationdb';
import { EngineError } from '../platform/errors.ts';
import { COPY_TAG_RAW } from './fdbdr-keys.ts';
import { lockDatabase, lockOf, unlockDatabase, type LockResult } from './lock.ts';
import { leftLockText, lockText, unlockText, type LockTeller, type SeenLock } from './lock-told.ts';
import { lockUid, readLockUid, uidOfBytes, uidOfStoredLock, versionOfStoredLock, type LockUid } from './lock-uid.ts';
import { LOCK_AWARE, READ_LOCK_AWARE, READ_SYSTEM_KEYS } from './option-codes.ts';
import { transact, untilDone, type Outcome } from './transaction.ts';

/** Where FoundationDB keeps its lock. */
export const LOCKED_RAW = Buffer.from('\xff/dbLocked', 'latin1');
const TIMEOUT_MS = 10_000;
/** FoundationDB counts a million versions a second. */
const VERSIONS_PER_SECOND = 1_000_000;
/** A lock that stays is an outage. */
const TRIES = 6;

/** Transactions that this is called in read past the lock. */
export function readPastLock(transaction: Transaction): void {
  transaction.setOption(READ_SYSTEM_KEYS);
  transaction.setOption(READ_LOCK_AWARE);
}

/** Transactions that this is called in write past the lock, and can tell which it is. */
export function writePastLock(transaction: Transaction): void {
  transaction.setOption(READ_SYSTEM_KEYS);
  transaction.setOption(LOCK_AWARE);
}

/** What stands for one time of being locked: unlocked and locked again, with the same UID too, it is another one. Only where the transaction reads past the lock. */
export async function lockedSince(transaction: Transaction): Promise<string> {
  return (await transaction.get(LOCKED_RAW))?.toString('hex') ?? '';
}

/** The lock that is there, whoever holds it; null where there is none. @throws EngineError database-unavailable */
export async function seeLock(db: Database, timeoutMs: number = TIMEOUT_MS): Promise<SeenLock | null> {
  const read = (transaction: Transaction): Promise<readonly (Buffer | undefined)[]> =>
    Promise.all([transaction.get(LOCKED_RAW), transaction.get(COPY_TAG_RAW)]);
  const { value, version } = await readPast(db, read, timeoutMs);
  const [lock, tag] = value;
  if (lock === undefined) return null;
  const ageSeconds = Math.max(0, version - versionOfStoredLock(lock)) / VERSIONS_PER_SECOND;
  const uid = uidOfStoredLock(lock);
  return { uid, ageSeconds, since: lock.toString('hex'), isCopy: tag !== undefined && uidOfBytes(tag) === uid };
}

/**
 * Locks the database under this UID, or takes over the lock that an earlier run of the same work has left: that of another epoch is ended first.
 * @throws EngineError database-locked where it is somebody else's (database-is-copy where that is fdbdr), database-unavailable
 */
export async function holdLock(db: Database, uid: LockUid, teller: LockTeller): Promise<void> {
  const left = await leftLock(db, uid.system);
  if (left !== null) await noteLeft(db, teller, 'is taken over');
  if (left !== null && left.epoch !== uid.epoch) await releaseLock(db, left, teller);
  if ((await settled(() => lockDatabase(db, uid, TIMEOUT_MS))).kind === 'held') return;
  await refuseLock(db, teller);
  throw new EngineError('database-locked', "another's lock was on the database until just now: give the command again");
}

/** @throws EngineError database-locked where anybody holds a lock, database-is-copy where fdbdr does */
export async function refuseLock(db: Database, teller: LockTeller): Promise<void> {
  const seen = await seeLock(db);
  if (seen !== null) throw new EngineError(seen.isCopy ? 'database-is-copy' : 'database-locked', lockText(seen, teller));
}

/** Other locks are taken over, or ended, by whoever may. @throws EngineError database-is-copy */
export async function refuseCopy(db: Database, teller: LockTeller): Promise<void> {
  const seen = await seeLock(db);
  if (seen?.isCopy === true) throw new EngineError('database-is-copy', lockText(seen, teller));
}

/** The lock that work of this name left when it was killed; null where there is none. */
export async function leftLock(db: Database, system: string): Promise<LockUid | null> {
  const found = await settled(() => lockOf(db, TIMEOUT_MS));
  const holder = found === null ? null : readLockUid(found, system);
  return holder?.kind === 'ours' ? { system, epoch: holder.epoch } : null;
}

/** Ends it, where there is one. The caller knows that no such work goes on. */
export async function endLeftLock(db: Database, system: string, teller: LockTeller): Promise<void> {
  const left = await leftLock(db, system);
  if (left === null) return;
  await noteLeft(db, teller, 'is ended');
  await releaseLock(db, left, teller);
}

async function noteLeft(db: Database, { note }: LockTeller, what: Parameters<typeof leftLockText>[1]): Promise<void> {
  const seen = await seeLock(db);
  if (seen !== null) note(leftLockText(seen, what));
}

/** @throws EngineError database-locked that tells how it is unlocked by hand */
export async function releaseLock(db: Database, uid: LockUid, { fdbcli }: LockTeller): Promise<void> {
  try {
    await settled(() => unlockDatabase(db, uid, TIMEOUT_MS));
  } catch (error) {
    throw new EngineError('database-locked', `the database may still be locked: ${unlockText(lockUid(uid), fdbcli)}`, error);
  }
}

async function settled<T extends LockResult | string | null>(ask: () => Promise<Outcome<T>>): Promise<T> {
  return await untilDone(TRIES, ask, 'the lock of the database cannot be told or changed');
}

/** Reads past the lock with the work's own time limit. */
export async function readPast<T>(
  db: Database,
  read: (transaction: Transaction) => Promise<T>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<{ readonly value: T; readonly version: number }> {
  const outcome = await transact(
    db,
    async (transaction) => {
      readPastLock(transaction);
      return { commit: false, value: await read(transaction) };
    },
    { timeoutMs },
  );
  if (outcome.kind !== 'done') throw new EngineError('database-unavailable', `FoundationDB does not answer: ${outcome.message}`);
  return outcome;
}
