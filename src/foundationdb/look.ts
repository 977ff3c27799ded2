import type { Database, Transaction } from 'foundationdb';
import { answerWithin } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { isWholeCopy, readCopyNow } from './copy-now.ts';
import { readFence, type Fence } from './fence.ts';
import type { KeySpace } from './key-space.ts';
import { transact, type Decision } from './transaction.ts';

export interface Look {
  readonly fence: Fence;
  /** Everything committed before is seen at it; of a copy, at the primary's versions. */
  readonly version: number;
  /** A copy that fdbdr has locked: nobody can commit there. */
  readonly isCopy: boolean;
}

/**
 * The fence, with a commit that changes nothing: whoever took the database for back as soon as it can be read would fail over from a primary that waits for commits, as all do (measured: reads
 * came back 0.8 s and more before them). The commit confirms what was read, so that it is as of when it was answered. Null where the database does not answer within the limit.
 */
export async function lookNow(db: Database, keys: KeySpace, timeoutMs: number): Promise<Look | null> {
  const work = async (transaction: Transaction): Promise<Decision<Fence>> => {
    const fence = await readFence(transaction, keys.fence);
    transaction.addWriteConflictKey(keys.look);
    return { commit: true, value: fence };
  };
  const outcome = await transact(db, work, { timeoutMs });
  return outcome.kind === 'done' ? { fence: outcome.value, version: outcome.version, isCopy: false } : null;
}

/** The same of a cluster of a pair. Of a whole copy it only reads: nobody may commit there. Null also of one that is locked otherwise, or no whole copy. */
export async function lookAtHome(db: Database, keys: KeySpace, timeoutMs: number): Promise<Look | null> {
  // Whoever reads past a lock cannot commit (2023): where there is none, a look of its own does.
  const now = await readCopyNow(db, keys, timeoutMs);
  if (now === null || (now.lockUid !== null && !isWholeCopy(now))) return null;
  if (now.lockUid === null) return await lookNow(db, keys, timeoutMs);
  return { fence: now.fence, version: Math.max(now.fence.version, now.pulse?.version ?? 0), isCopy: true };
}

/**
 * One look at a time, which everybody who asks meanwhile waits for, each as long as it likes. A look has its own limit, longer than a probe waits: on a busy cluster, whose commits take longer than
 * that, every look would be given up just before its answer, and a database that serves would be taken for one that does not (seen: an order refused because "the database does not answer").
 */
export class SharedLook<T> {
  readonly #look: () => Promise<T | null>;
  readonly #clock: Clock;
  #underWay: Promise<T | null> | null = null;

  /** `look` ends by itself. */
  constructor(look: () => Promise<T | null>, clock: Clock) {
    this.#look = look;
    this.#clock = clock;
  }

  /** Null where it brought nothing, or not in time. */
  async within(timeoutMs: number): Promise<T | null> {
    this.#underWay ??= this.#look().finally(() => (this.#underWay = null));
    return (await answerWithin(this.#underWay, timeoutMs, this.#clock)) ?? null;
  }
}
