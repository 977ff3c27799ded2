import type { Transaction } from 'foundationdb';
import type { KeyValue } from '../database/database.ts';
import { EngineError } from '../platform/errors.ts';
import { readFence, type Fence } from './fence.ts';
import { afterPrefix, dataKey, keyOfData, type KeySpace, type Place } from './key-space.ts';
import { keepReplaced } from './kept.ts';
import { READ_LOCK_AWARE, SERIAL } from './option-codes.ts';
import { codeOf, CODES } from './outcome.ts';
import { readVersionOf, transact, type Decision, type Outcome } from './transaction.ts';

/** Who may read and write: the epoch's own region, as the fence in the database has it. */
export interface Authority {
  readonly epoch: number;
  readonly region: string;
}
export type Fenced<T> = { readonly kind: 'allowed'; readonly value: T } | { readonly kind: 'fenced'; readonly epoch: number };

/** Sets (or, with null, clears) a key under the authority. Not repeated once its outcome is unknown: a second try could undo what others wrote between. */
export function writeKey(
  { db, keys }: Place,
  by: Authority,
  key: string,
  value: string | null,
  timeoutMs: number,
): Promise<Outcome<Fenced<null>>> {
  const work = async (transaction: Transaction): Promise<Decision<Fenced<null>>> => {
    const fence = await readFence(transaction, keys.fence);
    if (!isAllowed(fence, by)) return { commit: false, value: { kind: 'fenced', epoch: fence.epoch } };
    const where = dataKey(keys, key);
    if (fence.copy !== null) await keepReplaced(transaction, keys, fence.copy, where);
    if (value === null) transaction.clear(where);
    else transaction.set(where, Buffer.from(value, 'utf8'));
    return { commit: true, value: { kind: 'allowed', value: null } };
  };
  return transact(db, work, { timeoutMs });
}

/** Reads what is committed now: the fence is read at the same version, so that nobody else served at it. */
export function readKey({ db, keys }: Place, by: Authority, key: string, timeoutMs: number): Promise<Outcome<Fenced<string | null>>> {
  const work = async (transaction: Transaction): Promise<Decision<Fenced<string | null>>> => {
    const [fence, value] = await Promise.all([readFence(transaction, keys.fence), transaction.get(dataKey(keys, key))]);
    const allowed = isAllowed(fence, by);
    return {
      commit: false,
      value: allowed ? { kind: 'allowed', value: value?.toString('utf8') ?? null } : { kind: 'fenced', epoch: fence.epoch },
    };
  };
  return transact(db, work, { timeoutMs });
}

function isAllowed(fence: Fence, by: Authority): boolean {
  return fence.epoch === by.epoch && fence.servedEpoch === by.epoch && fence.servedBy === by.region;
}

export interface Copy {
  readonly version: number;
  readonly rows: AsyncIterable<KeyValue>;
}

/**
 * All data at one read version, sorted by key. FoundationDB keeps a version for about five seconds: what cannot be read within them is not read at all, since rows of two
 * versions would be no copy. Until the first rows are there it begins anew where FoundationDB says so: right after a recovery storage does not know the newest version yet (1009, seen when
 * a cluster went back to its first region). `pastLock`: of a copy of a pair too. Throws EngineError `timeout` before the first row or between two.
 */
export async function readAll(
  { db, keys }: Place,
  timeoutMs: number,
  { pastLock = false }: { readonly pastLock?: boolean } = {},
): Promise<Copy> {
  const transaction = db.rawCreateTransaction({ timeout: timeoutMs, read_your_writes_disable: true });
  for (;;) {
    try {
      // A new try has lost it.
      if (pastLock) transaction.setOption(READ_LOCK_AWARE);
      const version = await readVersionOf(transaction);
      const batches = batchesOf(transaction, keys);
      const first = await batches.next();
      return { version, rows: rowsOf(first.done === true ? [] : first.value, batches, keys) };
    } catch (error) {
      const code = codeOf(error);
      if (code === null) throw error;
      // Rejects for what it does not try again, and when the time is over.
      await transaction.rawOnError(code).catch(() => Promise.reject(asEngineError(error) as Error));
    }
  }
}

type Batch = readonly (readonly [Buffer, Buffer])[];

function batchesOf(transaction: Transaction, { data }: KeySpace): AsyncGenerator<Batch> {
  return transaction.snapshot().getRangeBatch(data, afterPrefix(data), { streamingMode: SERIAL });
}

async function* rowsOf(first: Batch, others: AsyncIterable<Batch>, keys: KeySpace): AsyncGenerator<KeyValue> {
  const row = ([key, value]: Batch[number]): KeyValue => ({ key: keyOfData(keys, key), value: value.toString('utf8') });
  yield* first.map(row);
  try {
    for await (const batch of others) yield* batch.map(row);
  } catch (error) {
    throw asEngineError(error);
  }
}

function asEngineError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === null) return error;
  const why =
    code === CODES.tooOld
      ? 'the data is too large to be read at one version (about 5 s)'
      : `FoundationDB ${code}: ${(error as Error).message}`;
  return new EngineError('timeout', why, error);
}
