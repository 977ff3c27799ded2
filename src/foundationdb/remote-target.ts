import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from 'foundationdb';
import type { RemoteTarget } from '../database/remote-target.ts';
import { EngineError, isEngineError } from '../platform/errors.ts';
import { parseJson } from '../platform/https-client.ts';
import { changeFence, NO_FENCE, readFence, type Fence } from './fence.ts';
import { afterPrefix, type KeySpace, type Place } from './key-space.ts';
import { endLeftLock, holdLock, leftLock, lockedSince, readPast, readPastLock, releaseLock, seeLock, writePastLock } from './lock-held.ts';
import { lockText, NOBODY_HEARS, unlockText, type LockTeller } from './lock-told.ts';
import { lockUid, type LockUid } from './lock-uid.ts';
import { readSlice } from './slices.ts';
import { transact, untilDone, type Decision } from './transaction.ts';

const TRY_MS = 15_000;
/** A recovery of FoundationDB, and a failover, may come in between. */
const TRIES = 8;
/** When all has failed, somebody waits to hear what is left. */
const LOOK_MS = 2000;

export interface TargetOptions extends Place {
  /** What the database is locked under while it is filled. */
  readonly lock: LockUid;
  readonly teller?: LockTeller;
}

/** Where the database that is being filled stands. */
type Filling = 'not-begun' | 'locked' | 'taken-by-another' | 'live';

/**
 * The key space as something to restore into. The whole cluster is locked meanwhile, so that no gateway serves half a database, also after this program was killed: then the lock and a mark
 * stay, and the next restore takes both over.
 */
export function foundationdbToFill({ db, keys, lock, teller = NOBODY_HEARS }: TargetOptions): RemoteTarget {
  const run = randomUUID();
  let held = lock;
  let filling: Filling = 'not-begun';
  let since = '';
  const at = (key: Uint8Array): Buffer => Buffer.concat([keys.data, key]);
  const requireMine = async (transaction: Transaction): Promise<void> => {
    const [marked, locked] = await Promise.all([markIn(transaction, keys), lockedSince(transaction)]);
    if (locked !== since) throw unlockedMeanwhile();
    if (marked?.run === run) return;
    filling = 'taken-by-another';
    throw new EngineError('backup-failed', 'another restore into this database has begun; this one stops');
  };
  return {
    begin: async (job) => {
      await refuseData({ db, keys }, lock, teller);
      // That of an interrupted restore is held on: unlocked for a moment, half a database could be served.
      held = (await leftLock(db, lock.system)) ?? lock;
      filling = 'locked';
      await holdLock(db, held, teller).catch((error: unknown) => {
        if (isEngineError(error, 'database-locked', 'database-is-copy')) filling = 'not-begun';
        throw error;
      });
      since = (await readPast(db, lockedSince)).value;
      if (await mark({ db, keys }, { job, run })) return;
      filling = 'not-begun';
      await releaseLock(db, held, teller);
      throw notEmpty(keys, teller);
    },
    put: async (rows) => {
      await write(db, async (transaction) => {
        await requireMine(transaction);
        for (const { key, value } of rows)
          if (value === null) transaction.clear(at(key));
          else transaction.set(at(key), value as Buffer);
      });
    },
    get: async (wanted) => (await readPast(db, (transaction) => Promise.all(wanted.map((key) => transaction.get(at(key)))))).value,
    clear: async (from, to) => {
      await write(db, async (transaction) => {
        await requireMine(transaction);
        transaction.clearRange(at(from), to === null ? afterPrefix(keys.data) : at(to));
      });
    },
    slice: (from, to, bytes, signal) =>
      readSlice({ db, keys }, { prepare: readPastLock, confirm: requireMine, keptFor: null, tooOld: null }, { from, to, bytes }, signal),
    finish: async (highestEpoch) => {
      await endFilling({ db, keys }, highestEpoch, requireMine);
      filling = 'live';
      await releaseLock(db, held, teller);
    },
    left: async () => {
      if (filling === 'taken-by-another') return 'the other restore goes on, and holds the lock of the database';
      return filling === 'locked' ? await leftText({ db, keys }, { held, since }, teller) : null;
    },
    close: () => db.close(),
  };
}

/** Before anything is locked: who names a database that is in use by mistake must not stop it. @throws EngineError bad-request where there is data */
async function refuseData({ db, keys }: Place, lock: LockUid, teller: LockTeller): Promise<void> {
  if ((await readPast(db, (transaction) => isFree(transaction, keys))).value) return;
  // A restore that was killed when only its lock was left to end.
  if ((await readPast(db, (transaction) => readFence(transaction, keys.fence))).value.restored) await endLeftLock(db, lock.system, teller);
  throw notEmpty(keys, teller);
}

function unlockedMeanwhile(): EngineError {
  return new EngineError(
    'backup-failed',
    'somebody unlocked the database while it was being filled; stop whoever uses it, and restore again',
  );
}

interface Mark {
  readonly job: string;
  readonly run: string;
}

async function markIn(transaction: Transaction, { restoring }: KeySpace): Promise<Mark | null> {
  const stored = await transaction.get(restoring);
  return stored === undefined ? null : (parseJson(stored) as Mark | null);
}

/** Whether nothing is there but what an interrupted restore has left. */
async function isFree(transaction: Transaction, keys: KeySpace): Promise<boolean> {
  if ((await markIn(transaction, keys)) !== null) return true;
  return (await transaction.getRangeAll(keys.all, afterPrefix(keys.all), { limit: 1 })).length === 0;
}

/** Of a restore that has locked the database and is not done. */
async function leftText(
  { db, keys }: Place,
  { held, since }: { readonly held: LockUid; readonly since: string },
  teller: LockTeller,
): Promise<string> {
  const uid = lockUid(held);
  const seen = await seeLock(db, LOOK_MS).catch(() => undefined);
  if (seen === null)
    return 'the database is not locked any more, and may hold a part of the data: stop every `database` program, and restore again';
  // Another time of being locked is another's, with the same UID too.
  if (seen !== undefined && (seen.uid !== uid || (since !== '' && seen.since !== since))) return lockText(seen, teller);
  return (
    `the whole FoundationDB cluster ${seen === undefined ? 'may still be' : 'is still'} locked under ${uid}, so that nobody serves a part of the data. ` +
    'Restore again: it takes this lock over and begins anew. ' +
    `Or give the restore up, while no \`database\` program runs: ${unlockText(uid, teller.fdbcli)} Then empty the key space: ${emptyText(keys, teller)}`
  );
}

function emptyText({ all }: KeySpace, { fdbcli }: LockTeller): string {
  return `\`${fdbcli} --exec "writemode on; clearrange ${all.toString()} ${afterPrefix(all).toString()}"\``;
}

function notEmpty(keys: KeySpace, teller: LockTeller): EngineError {
  return new EngineError(
    'bad-request',
    `the key space ${keys.all.toString()} of this FoundationDB cluster is not empty; restore into an empty one (${emptyText(keys, teller)} empties it, with no \`database\` program running)`,
  );
}

/** Marks the key space as being filled; false where it holds data that no restore has left. */
async function mark({ db, keys }: Place, by: Mark): Promise<boolean> {
  return await write(db, async (transaction) => {
    if (!(await isFree(transaction, keys))) return false;
    transaction.clearRange(keys.all, afterPrefix(keys.all));
    transaction.set(keys.restoring, JSON.stringify(by));
    return true;
  });
}

/** The mark goes as the fence comes, in one transaction. */
async function endFilling(
  { db, keys }: Place,
  highestEpoch: number,
  requireMine: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const ended = async (_fence: Fence, transaction: Transaction): Promise<Fence> => {
    await requireMine(transaction);
    transaction.clear(keys.restoring);
    return { ...NO_FENCE, epoch: highestEpoch, restored: true };
  };
  const outcome = await changeFence(db, keys.fence, TRY_MS, ended, writePastLock);
  if (outcome.kind !== 'done')
    throw new EngineError(
      'database-unavailable',
      `the restore could not be ended: ${outcome.message}; the same command begins anew, or finds it ended`,
    );
}

/** All of what is written here may be written again: it is tried until it is known to be there. */
async function write<T>(db: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const committed = async (transaction: Transaction): Promise<Decision<T>> => {
    writePastLock(transaction);
    return { commit: true, value: await work(transaction) };
  };
  return await untilDone(TRIES, () => transact(db, committed, { timeoutMs: TRY_MS }), 'FoundationDB cannot be written');
}
