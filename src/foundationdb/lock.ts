import type { Database } from 'foundationdb';
import { lockUid, type LockUid } from './lock-uid.ts';
import { LOCK_AWARE, SPECIAL_KEY_SPACE_ENABLE_WRITES } from './option-codes.ts';
import { transact, type Outcome } from './transaction.ts';

const LOCKED = Buffer.from('\xff\xff/management/db_locked', 'latin1');

/** `held`: by this very UID, before or now. `foreign`: by somebody else; nothing was changed. */
export type LockResult = { readonly kind: 'held' | 'free' } | { readonly kind: 'foreign'; readonly uid: string };

/** Whose lock is on the database; needs no lock option. */
export async function lockOf(db: Database, timeoutMs: number): Promise<Outcome<string | null>> {
  return await transact(
    db,
    async (transaction) => ({ commit: false, value: (await transaction.get(LOCKED))?.toString('latin1') ?? null }),
    {
      timeoutMs,
    },
  );
}

/**
 * Locks the database for everybody who is not lock-aware, under a UID that carries the epoch. Another's lock stays as it is, one of ours of another epoch too: whoever may end that
 * one knows its UID.
 */
export async function lockDatabase(db: Database, uid: LockUid, timeoutMs: number): Promise<Outcome<LockResult>> {
  const wanted = lockUid(uid);
  return await changeLock(db, timeoutMs, (found) => {
    if (found === wanted) return { kind: 'held' };
    return found === null ? { write: wanted, result: { kind: 'held' } } : { kind: 'foreign', uid: found };
  });
}

/**
 * Unlocks what this UID locked, in one transaction that compares and clears: clearing alone does not look whose lock it is (`SpecialKeySpace.cpp`), and anybody's lock would go.
 */
export async function unlockDatabase(db: Database, uid: LockUid, timeoutMs: number): Promise<Outcome<LockResult>> {
  return await unlockUid(db, lockUid(uid), timeoutMs);
}

/** The same for a lock that is not ours to have made, but to end: what fdbdr has left. */
export async function unlockUid(db: Database, uid: string, timeoutMs: number): Promise<Outcome<LockResult>> {
  return await changeLock(db, timeoutMs, (found) => {
    if (found === null) return { kind: 'free' };
    if (found !== uid) return { kind: 'foreign', uid: found };
    return { write: null, result: { kind: 'free' } };
  });
}

type Change = LockResult | { readonly write: string | null; readonly result: LockResult };

function changeLock(db: Database, timeoutMs: number, decide: (found: string | null) => Change): Promise<Outcome<LockResult>> {
  return transact(
    db,
    async (transaction) => {
      // A new try has lost it: options of a transaction do not outlive its reset, but for the time limit and the like.
      transaction.setOption(SPECIAL_KEY_SPACE_ENABLE_WRITES);
      transaction.setOption(LOCK_AWARE);
      const change = decide((await transaction.get(LOCKED))?.toString('latin1') ?? null);
      if ('kind' in change) return { commit: false, value: change };
      if (change.write === null) transaction.clear(LOCKED);
      else transaction.set(LOCKED, change.write);
      return { commit: true, value: change.result };
    },
    { timeoutMs },
  );
}
