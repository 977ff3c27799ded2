import type { Database, Transaction } from 'foundationdb';
import { EngineError } from '../platform/errors.ts';
import { codeOf, judge, type Phase } from './outcome.ts';

/** What the work of a transaction decided: to commit what it wrote, or to leave everything as it is. */
export type Decision<T> = {
  readonly commit: boolean;
  readonly value: T;
  /** Of what the client answers by itself (its status): no read version is asked for, which nobody gets while the database recovers or is locked, just when it is to be known. */
  readonly unversioned?: true;
};

export type Outcome<T> =
  /** `version` is that of the commit, of the read where nothing was to be committed; NO_VERSION where none was asked for. */
  | { readonly kind: 'done'; readonly value: T; readonly version: number }
  /** Nothing was applied and nothing will be. */
  | { readonly kind: 'not-done'; readonly reason: 'silent' | 'locked' | 'refused'; readonly message: string }
  /** The commit was sent; nobody knows. */
  | { readonly kind: 'unknown'; readonly message: string };

/** As fdb_c says it. */
const NO_VERSION = -1;

/**
 * Native transactions whose work is under way. One that nothing refers to is collected and destroyed although its commit is under way, and its promise rejects with 1025 while
 * the commit is applied (measured: 8 of 1,200).
 */
const held = new Set<Transaction>();

/**
 * Runs `work` in a transaction and commits it, again where nothing can have been applied, until `timeoutMs` is over for all tries together. `work` may run several times. Never
 * rejects for what FoundationDB says; throws what `work` throws of its own. The signal ends it early, as a time-out does. `work` sets other options at its beginning: a new try has lost them.
 */
export async function transact<T>(
  db: Database,
  work: (transaction: Transaction) => Promise<Decision<T>>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<Outcome<T>> {
  const transaction = db.rawCreateTransaction({ timeout: Math.max(1, Math.ceil(timeoutMs)) });
  held.add(transaction);
  const cancel = (): void => transaction.rawCancel();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted === true) cancel();
  try {
    for (;;) {
      let phase: Phase = 'before-commit';
      try {
        const { commit, value, unversioned } = await work(transaction);
        if (!commit) return { kind: 'done', value, version: unversioned === true ? NO_VERSION : await readVersionOf(transaction) };
        phase = 'commit';
        await transaction.rawCommit();
        return { kind: 'done', value, version: toNumber(transaction.getCommittedVersion()) };
      } catch (error) {
        const code = codeOf(error);
        if (code === null) throw error;
        const ended = await afterError(transaction, code, phase, error as Error);
        if (ended !== null) return ended;
      }
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
    held.delete(transaction);
  }
}

/** Null: another try may begin. */
async function afterError(transaction: Transaction, code: number, phase: Phase, error: Error): Promise<Outcome<never> | null> {
  const verdict = judge(code, phase);
  const message = `FoundationDB ${code}: ${error.message}`;
  if (verdict === 'unknown') return { kind: 'unknown', message };
  if (verdict !== 'again') return { kind: 'not-done', reason: verdict, message };
  try {
    // Waits a little longer each time, and makes the transaction new.
    await transaction.rawOnError(code);
    return null;
  } catch {
    // Not one that it tries again, or the time is over: nothing was applied either way.
    return { kind: 'not-done', reason: 'silent', message };
  }
}

/**
 * Asks again while it is not known whether it was done, or could not be: only for what may be repeated.
 * @throws EngineError database-unavailable, which says what failed, where it is refused or all tries are over
 */
export async function untilDone<T>(tries: number, ask: () => Promise<Outcome<T>>, failed: string): Promise<T> {
  let message = '';
  for (let attempt = 0; attempt < tries; attempt++) {
    const outcome = await ask();
    if (outcome.kind === 'done') return outcome.value;
    message = outcome.message;
    if (outcome.kind === 'not-done' && outcome.reason === 'refused') break;
  }
  throw new EngineError('database-unavailable', `${failed}: ${message}`);
}

export async function readVersionOf(transaction: Transaction): Promise<number> {
  return toNumber(await transaction.getReadVersion());
}

/** Versions count microseconds of a cluster's life, and a forced recovery adds a week: 2^53 is 285 years. */
function toNumber(version: Buffer): number {
  return Number(version.readBigInt64BE());
}
