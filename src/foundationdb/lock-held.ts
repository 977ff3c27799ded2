import type { Database, Transaction } from 'foundationdb';
import { EngineError } from '../platform/errors.ts';
import { lockDatabase, lockOf, unlockDatabase, type LockResult } from './lock.ts';
import { lockUid, readLockUid, type LockUid } from './lock-uid.ts';
import { LOCK_AWARE, READ_LOCK_AWARE, READ_SYSTEM_KEYS } from './option-codes.ts';
import { transact, untilDone, type Outcome } from './transaction.ts';

const LOCKED_RAW = Buffer.from('\xff/dbLocked', 'latin1');
const TIMEOUT_MS = 10_000;
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

/**
 * Locks the database under this UID, or takes over the lock that an earlier run of the same work has left: that of another epoch is ended first.
 * @throws EngineError database-locked where it is somebody else's, database-unavailable
 */
export async function holdLock(db: Database, uid: LockUid): Promise<void> {
  let result = await settled(() => lockDatabase(db, uid, TIMEOUT_MS));
  if (result.kind === 'foreign' && (await endLeftLock(db, uid.system))) result = await settled(() => lockDatabase(db, uid, TIMEOUT_MS));
  if (result.kind !== 'foreign') return;
  throw new EngineError(
    'database-locked',
    `the database is locked under ${result.uid}, which is not ours: whoever locked it (fdbcli lock, fdbdr, a restore) has to end that first`,
  );
}

/** The lock that work of this name left when it was killed; null where there is none. */
export async function leftLock(db: Database, system: string): Promise<LockUid | null> {
  const found = await settled(() => lockOf(db, TIMEOUT_MS));
  const holder = found === null ? null : readLockUid(found, system);
  return holder?.kind === 'ours' ? { system, epoch: holder.epoch } : null;
}

/** Ends it; false where there is none. The caller knows that no such work goes on. */
export async function endLeftLock(db: Database, system: string): Promise<boolean> {
  const left = await leftLock(db, system);
  if (left !== null) await releaseLock(db, left);
  return left !== null;
}

/** @throws EngineError database-locked that tells how it is unlocked by hand */
export async function releaseLock(db: Database, uid: LockUid): Promise<void> {
  try {
    await settled(() => unlockDatabase(db, uid, TIMEOUT_MS));
  } catch (error) {
    throw new EngineError(
      'database-locked',
      `the database may still be locked: \`fdbcli --exec "unlock ${lockUid(uid)}"\` unlocks it (it asks for a passphrase that it shows)`,
      error,
    );
  }
}

async function settled<T extends LockResult | string | null>(ask: () => Promise<Outcome<T>>): Promise<T> {
  return await untilDone(TRIES, ask, 'the lock of the database cannot be told or changed');
}

/** Reads past the lock with the work's own time limit. */
export async function readPast<T>(
  db: Database,
  read: (transaction: Transaction) => Promise<T>,
): Promise<{ readonly value: T; readonly version: number }> {
  const outcome = await transact(
    db,
    async (transaction) => {
      readPastLock(transaction);
      return { commit: false, value: await read(transaction) };
    },
    { timeoutMs: TIMEOUT_MS },
  );
  if (outcome.kind !== 'done') throw new EngineError('database-unavailable', `FoundationDB does not answer: ${outcome.message}`);
  return outcome;
}
