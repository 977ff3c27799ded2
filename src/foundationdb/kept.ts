import { randomBytes } from 'node:crypto';
import type { Database, Transaction } from 'foundationdb';
import { EngineError } from '../platform/errors.ts';
import { changeFence, type CopyMark, type Fence } from './fence.ts';
import { afterPrefix, type KeySpace } from './key-space.ts';
import { readVersionOf } from './transaction.ts';

/**
 * A copy of one state, however long it takes to read, of a database that keeps versions for five seconds. The fence says that a copy is made. From that commit on each write that is the
 * first to change a key puts what was there aside, in its own transaction. Whoever reads data and what was put aside at one version, whichever, knows the state at that commit: what was put
 * aside stands for what is there now. Every write reads the fence: those that are under way when the mark comes conflict with it, so each either came before or puts aside.
 */

/** The first byte of what is put aside: whether there was a value. */
const ABSENT = 0;
const PRESENT = 1;
/** FoundationDB counts a million versions a second; a recovery adds a hundred seconds. */
const VERSIONS_PER_SECOND = 1_000_000;
/** A copy whose maker has died costs writers two reads for no longer than this. */
const COPY_LASTS_VERSIONS = 15 * 60 * VERSIONS_PER_SECOND;
const TIMEOUT_MS = 10_000;

/** In a write's own transaction, before it changes the key: puts aside what is there, unless an earlier write has. */
export async function keepReplaced(transaction: Transaction, keys: KeySpace, copy: CopyMark, where: Buffer): Promise<void> {
  if ((await readVersionOf(transaction)) > copy.untilVersion) return;
  const aside = Buffer.concat([keptOf(keys, copy.id), where.subarray(keys.data.length)]);
  const [kept, replaced] = await Promise.all([transaction.get(aside), transaction.get(where)]);
  if (kept !== undefined) return;
  transaction.set(aside, replaced === undefined ? Buffer.of(ABSENT) : Buffer.concat([Buffer.of(PRESENT), replaced]));
}

/** Where what was put aside for a copy is: this, and the client's key. */
export function keptOf({ kept }: KeySpace, id: string): Buffer {
  return Buffer.concat([kept, Buffer.from(`${id}/`)]);
}

/** What a value that was put aside says; null: there was none. */
export function replacedValue(kept: Buffer): Buffer | null {
  return kept[0] === ABSENT ? null : kept.subarray(1);
}

export interface BegunCopy {
  readonly mark: CopyMark;
  /** What is copied is the state at this version. */
  readonly version: number;
  readonly fence: Fence;
}

/**
 * Begins a copy; one that another has left is over with it. Null where whoever serves does not keep: nobody does, or a program of before. Nobody else may be making copies.
 * @throws EngineError database-unavailable
 */
export async function beginCopy(db: Database, keys: KeySpace): Promise<BegunCopy | null> {
  const id = randomBytes(8).toString('hex');
  const outcome = await changeFence(db, keys.fence, TIMEOUT_MS, async (fence, transaction) => {
    if (!fence.keeps) return 'passed';
    transaction.clearRange(keys.kept, afterPrefix(keys.kept));
    return { ...fence, copy: { id, untilVersion: await untilVersion(transaction) } };
  });
  if (outcome.kind !== 'done') throw new EngineError('database-unavailable', `a copy cannot be begun: ${outcome.message}`);
  const { kind, fence } = outcome.value;
  return kind === 'passed' || fence.copy === null ? null : { mark: fence.copy, version: outcome.version, fence };
}

/**
 * Lets a copy go on for as long again. @throws EngineError backup-failed where it is over: somebody else began one, or writes may have come in that kept nothing any more
 */
export async function extendCopy(db: Database, keys: KeySpace, mark: CopyMark): Promise<CopyMark> {
  const outcome = await changeFence(db, keys.fence, TIMEOUT_MS, async (fence, transaction) =>
    fence.copy?.id === mark.id ? { ...fence, copy: { id: mark.id, untilVersion: await untilVersion(transaction) } } : 'passed',
  );
  if (outcome.kind !== 'done') throw new EngineError('database-unavailable', `the copy cannot go on: ${outcome.message}`);
  const { kind, fence } = outcome.value;
  // Committed later than the old limit: a write may have come in between that had read it and kept nothing.
  if (kind === 'passed' || fence.copy === null || outcome.version > mark.untilVersion) throw copyIsOver();
  return fence.copy;
}

/**
 * Whoever writes keeps nothing more, and what was kept is gone. Null; or why that could not be done, which takes nothing from what was copied: the mark runs out by itself, and the next copy
 * clears what is kept. (A pair that moves meanwhile has this cluster locked.)
 */
export async function endCopy(db: Database, keys: KeySpace, { id }: CopyMark): Promise<string | null> {
  const outcome = await changeFence(db, keys.fence, TIMEOUT_MS, (fence, transaction) => {
    if (fence.copy?.id !== id) return 'passed';
    transaction.clearRange(keys.kept, afterPrefix(keys.kept));
    return { ...fence, copy: null };
  });
  return outcome.kind === 'done' ? null : outcome.message;
}

export function copyIsOver(): EngineError {
  return new EngineError(
    'backup-failed',
    'what writes replaced is not kept for this copy any more: another one was begun, or it could not be prolonged in time (versions jump with each recovery)',
  );
}

async function untilVersion(transaction: Transaction): Promise<number> {
  return (await readVersionOf(transaction)) + COPY_LASTS_VERSIONS;
}
