import type { Transaction } from 'foundationdb';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import type { RemoteDatabase, RemoteSnapshot, Slice } from '../database/remote-snapshot.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import type { LogEnd } from '../replication/epochs.ts';
import { clientSettings, fdbcliFor, openCluster } from './client.ts';
import { readFence, type Fence } from './fence.ts';
import { beginCopy, copyIsOver, endCopy, extendCopy, type BegunCopy } from './kept.ts';
import { afterPrefix, keySpaceOf, type Place } from './key-space.ts';
import { endLeftLock, holdLock, lockedSince, readPast, readPastLock, refuseCopy, refuseLock, releaseLock } from './lock-held.ts';
import { NOBODY_HEARS, type LockTeller } from './lock-told.ts';
import { lockSystem, type LockedWork, type LockUid } from './lock-uid.ts';
import { readSlice, type SliceRules } from './slices.ts';
import { readVersionOf } from './transaction.ts';

/** A third of what a copy lasts: two recoveries of FoundationDB may come in between. */
const EXTEND_MS = 5 * 60_000;

export interface RemoteOptions extends Place {
  readonly clock: Clock;
  /** What a lock of this work is held under. */
  readonly lock: LockUid;
  /** Whether all others are to be locked out while it is read. */
  readonly locks: boolean;
  readonly teller?: LockTeller;
}

export interface OpenOptions {
  readonly database: FoundationdbConfig;
  /** Of the configuration file. */
  readonly folder: string;
  readonly lock: { readonly cluster: string; readonly epoch: number };
  readonly note: (text: string) => void;
}

/** The cluster as it is configured, and what this work locks it under. @throws EngineError bad-config */
export function openFoundationdb(
  { database, folder, lock: { cluster, epoch }, note }: OpenOptions,
  work: LockedWork,
): Place & { readonly lock: LockUid; readonly teller: LockTeller } {
  const settings = clientSettings(database, folder);
  return {
    db: openCluster(settings),
    keys: keySpaceOf(database.prefix),
    lock: { system: lockSystem(work, cluster), epoch },
    teller: { cluster, fdbcli: fdbcliFor(settings), note },
  };
}

/** The key space as something to back up. The caller alone may back it up now. */
export function foundationdbToRead(options: RemoteOptions): RemoteDatabase {
  const { db, keys, teller = NOBODY_HEARS } = options;
  return {
    newest: async () => {
      // A copy counts versions of its own: held against those of the cluster that is served it would be one that is behind.
      await refuseCopy(db, teller);
      const { value, version } = await readPast(db, (transaction) => readFence(transaction, keys.fence));
      return endAt(value, version);
    },
    sizeBytes: async () =>
      (await readPast(db, (transaction) => transaction.getEstimatedRangeSizeBytes(keys.data, afterPrefix(keys.data)))).value,
    snapshot: async (signal) => {
      signal.throwIfAborted();
      if (options.locks) return await lockedSnapshot(options);
      await endLeftLock(db, options.lock.system, teller);
      await refuseLock(db, teller);
      const copy = await beginCopy(db, keys);
      return copy === null ? await versionSnapshot(options) : keptSnapshot(options, copy);
    },
    close: () => db.close(),
  };
}

/** Of whom the data is: of the epoch that was served last. */
function endAt({ servedEpoch }: Fence, version: number): LogEnd {
  return { epoch: servedEpoch, index: version };
}

/** The state at the beginning of a copy for which writes put aside what they replace: any size, nobody waits. */
function keptSnapshot({ db, keys, clock, teller = NOBODY_HEARS }: RemoteOptions, begun: BegunCopy): RemoteSnapshot {
  let { mark } = begun;
  let extendedAtMs = clock.monotonicMs();
  let extending = Promise.resolve();
  const confirm = async (transaction: Transaction): Promise<void> => {
    const [{ copy }, version] = await Promise.all([readFence(transaction, keys.fence), readVersionOf(transaction)]);
    if (copy?.id !== mark.id || version > copy.untilVersion) throw copyIsOver();
  };
  const rules: SliceRules = { prepare: () => undefined, confirm, keptFor: mark.id, tooOld: null };
  return {
    ...readWith({ db, keys }, rules, async () => {
      if (clock.monotonicMs() - extendedAtMs > EXTEND_MS) {
        extendedAtMs = clock.monotonicMs();
        extending = extendCopy(db, keys, mark).then((extended) => void (mark = extended));
      }
      await extending;
    }),
    end: endAt(begun.fence, begun.version),
    how: 'copy-on-write',
    release: async () => {
      const problem = await endCopy(db, keys, mark);
      if (problem !== null) teller.note(`what writes replaced is kept on for a quarter of an hour, or until the next backup: ${problem}`);
    },
  };
}

/** Nobody but us writes while it is read; each slice is of a time within the same lock. */
async function lockedSnapshot({ db, keys, lock, teller = NOBODY_HEARS }: RemoteOptions): Promise<RemoteSnapshot> {
  await holdLock(db, lock, teller);
  try {
    const { value, version } = await readPast(db, (transaction) =>
      Promise.all([lockedSince(transaction), readFence(transaction, keys.fence)]),
    );
    const [since, fence] = value;
    const confirm = async (transaction: Transaction): Promise<void> => {
      if (since === '' || (await lockedSince(transaction)) !== since)
        throw new EngineError('backup-failed', 'somebody unlocked the database while it was read under our lock');
    };
    return {
      ...readWith({ db, keys }, { prepare: readPastLock, confirm, keptFor: null, tooOld: null }),
      end: endAt(fence, version),
      how: 'locked',
      release: () => releaseLock(db, lock, teller),
    };
  } catch (error) {
    await releaseLock(db, lock, teller);
    throw error;
  }
}

/** All at one version, which FoundationDB keeps for about five seconds: what cannot be read in them is not backed up so. */
async function versionSnapshot({ db, keys }: RemoteOptions): Promise<RemoteSnapshot> {
  const { value: fence, version } = await readPast(db, (transaction) => readFence(transaction, keys.fence));
  const stated = Buffer.alloc(8);
  stated.writeBigInt64BE(BigInt(version));
  const rules: SliceRules = {
    prepare: (transaction) => transaction.setReadVersion(stated),
    confirm: () => Promise.resolve(),
    keptFor: null,
    tooOld: () =>
      new EngineError(
        'backup-failed',
        'the data is too large to be read at one version (FoundationDB keeps one for about 5 s), and no `database` program serves it that would keep what is replaced meanwhile: ' +
          'start one, or back up with --lock, which locks everybody out of the database until it is read',
      ),
  };
  return { ...readWith({ db, keys }, rules), end: endAt(fence, version), how: 'read-version', release: () => Promise.resolve() };
}

/** @param before each slice */
function readWith(
  place: Place,
  rules: SliceRules,
  before: () => Promise<void> = () => Promise.resolve(),
): Pick<RemoteSnapshot, 'slice' | 'splitPoints'> {
  const { db, keys } = place;
  return {
    slice: async (from, to, bytes, signal): Promise<Slice> => {
      await before();
      return await readSlice(place, rules, { from, to, bytes }, signal);
    },
    splitPoints: async (bytes) => {
      const { value } = await readPast(db, (transaction) => transaction.getRangeSplitPoints(keys.data, afterPrefix(keys.data), bytes));
      // The ends of the range are among them.
      return value
        .filter((point) => point.length > keys.data.length && point.subarray(0, keys.data.length).equals(keys.data))
        .map((point) => point.subarray(keys.data.length));
    },
  };
}
