import type { Database, Transaction } from 'foundationdb';
import { COPY_TAG_RAW, copyStateKey } from './fdbdr-keys.ts';
import { readFence, type Fence } from './fence.ts';
import type { KeySpace } from './key-space.ts';
import { LOCKED_RAW, readPastLock } from './lock-held.ts';
import { uidOfBytes, uidOfStoredLock } from './lock-uid.ts';
import { stateSaid, type CopyState } from './pair-records.ts';
import { transact } from './transaction.ts';

/** A cluster of a pair as it is now, read past its lock, at one version. */
interface CopyIn {
  /** Under which UID it is locked; null: it is not. */
  readonly lockUid: string | null;
  /** Of the copy that fdbdr makes or has made of the other cluster here; null: it never was one. */
  readonly copyUid: string | null;
  readonly state: CopyState | null;
  /** Of the primary, as far as it has come, where this is a copy. */
  readonly fence: Fence;
  /** As it came from the primary, with the version at which it was committed there. */
  readonly pulse: (Pulse & { readonly version: number }) | null;
}

export interface CopyNow extends CopyIn {
  /** Of its own, at which that was read. */
  readonly version: number;
}

/** What whoever serves writes again and again: where it has come to, everything has that was acknowledged before it was begun. */
export interface Pulse {
  readonly incarnation: string;
  /** On that process's clock. */
  readonly begunMs: number;
}

const STAMP_BYTES = 10;

/** Locked by fdbdr as a copy, be it whole or not: nobody but fdbdr writes there. */
export const isLockedCopy = ({ lockUid, copyUid }: CopyIn): boolean => lockUid !== null && lockUid === copyUid;

/** A whole copy that fdbdr keeps on. */
export const isRunningCopy = (now: CopyIn): boolean => isLockedCopy(now) && now.state === 'complete';

/** That, or one whose primary a switch is about to replace: it has everything, and nobody has written there since. */
export const isWholeCopy = (now: CopyIn): boolean => isRunningCopy(now) || (isLockedCopy(now) && now.state === 'stopped');

/** Null where the cluster did not answer within the limit. */
export async function readCopyNow(db: Database, keys: KeySpace, timeoutMs: number, signal?: AbortSignal): Promise<CopyNow | null> {
  const outcome = await transact(
    db,
    async (transaction) => {
      readPastLock(transaction);
      return { commit: false, value: await copyIn(transaction, keys) };
    },
    { timeoutMs, ...(signal === undefined ? {} : { signal }) },
  );
  return outcome.kind === 'done' ? { ...outcome.value, version: outcome.version } : null;
}

/** In a transaction that reads past the lock. */
async function copyIn(transaction: Transaction, keys: KeySpace): Promise<CopyIn> {
  const [lock, tag, pulse, fence] = await Promise.all([
    transaction.get(LOCKED_RAW),
    transaction.get(COPY_TAG_RAW),
    transaction.get(keys.pulse),
    readFence(transaction, keys.fence),
  ]);
  const said = tag === undefined ? undefined : await transaction.get(Buffer.from(copyStateKey(tag), 'latin1'));
  return {
    lockUid: lock === undefined ? null : uidOfStoredLock(lock),
    copyUid: tag === undefined ? null : uidOfBytes(tag),
    state: said === undefined ? null : stateSaid(said.toString('latin1')),
    fence,
    pulse: pulse === undefined ? null : pulseIn(pulse),
  };
}

/** Everything that was committed before this comes before it in every copy. */
export function writePulse(transaction: Transaction, keys: KeySpace, { incarnation, begunMs }: Pulse): void {
  transaction.setVersionstampPrefixedValue(keys.pulse, Buffer.from(`${begunMs.toFixed(3)} ${incarnation}`));
}

function pulseIn(value: Buffer): CopyIn['pulse'] {
  const [, begunMs, incarnation] = /^(\d+\.\d{3}) (\S+)$/.exec(value.toString('utf8', STAMP_BYTES)) ?? [];
  // The first eight bytes of a versionstamp are the version of the commit.
  return incarnation === undefined ? null : { incarnation, begunMs: Number(begunMs), version: Number(value.readBigUInt64BE(0)) };
}
