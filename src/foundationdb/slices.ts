import type { Transaction } from 'foundationdb';
import type { Row, Slice } from '../database/remote-snapshot.ts';
import { EngineError } from '../platform/errors.ts';
import { afterPrefix, type Place } from './key-space.ts';
import { keptOf, replacedValue } from './kept.ts';
import { SERIAL } from './option-codes.ts';
import { codeOf, CODES } from './outcome.ts';
import { transact, type Decision } from './transaction.ts';

/** A recovery of FoundationDB may come in between. */
const SLICE_TIMEOUT_MS = 60_000;

/** How slices are read so that all of them are of one state. */
export interface SliceRules {
  /** At the beginning of each try: options, a read version. */
  readonly prepare: (transaction: Transaction) => void;
  /** In the same transaction: throws where what is read is not of that state. */
  readonly confirm: (transaction: Transaction) => Promise<void>;
  /** The copy for which writes put aside what they replace. */
  readonly keptFor: string | null;
  /** Thrown where the version that `prepare` sets is kept no more; null: a try sets none, and a later one is of a newer version. */
  readonly tooOld: (() => Error) | null;
}

export interface SliceBounds {
  /** Clients' keys. */
  readonly from: Uint8Array;
  readonly to: Uint8Array | null;
  readonly bytes: number;
}

/** Records of the key space, as clients know their keys. @throws EngineError database-unavailable, and what `confirm` throws */
export async function readSlice(
  { db, keys }: Place,
  rules: SliceRules,
  { from, to, bytes }: SliceBounds,
  signal: AbortSignal,
): Promise<Slice> {
  const work = async (transaction: Transaction): Promise<Decision<Slice>> => {
    rules.prepare(transaction);
    const reading = Promise.all([rowsWithin(transaction, keys.data, { from, to, bytes }), rules.confirm(transaction)]);
    const [found] = await reading.catch((error: unknown) => {
      throw rules.tooOld !== null && codeOf(error) === CODES.tooOld ? rules.tooOld() : error;
    });
    if (rules.keptFor === null) return { commit: false, value: found };
    const aside = await rowsWithin(transaction, keptOf(keys, rules.keptFor), { from, to: found.next ?? to, bytes });
    // Where more was put aside than is there, the slice goes as far as that was read.
    const next = aside.next ?? found.next;
    const rows = aside.next === null ? found.rows : found.rows.filter(([key]) => Buffer.compare(key, aside.next!) < 0);
    return { commit: false, value: { rows: withReplaced(rows, aside.rows), next } };
  };
  const outcome = await transact(db, work, { timeoutMs: SLICE_TIMEOUT_MS, signal });
  signal.throwIfAborted();
  if (outcome.kind !== 'done') throw new EngineError('database-unavailable', `FoundationDB cannot be read: ${outcome.message}`);
  return outcome.value;
}

async function rowsWithin(transaction: Transaction, prefix: Buffer, { from, to, bytes }: SliceBounds): Promise<Slice> {
  const begin = Buffer.concat([prefix, from]);
  const end = to === null ? afterPrefix(prefix) : Buffer.concat([prefix, to]);
  const rows: Row[] = [];
  let readBytes = 0;
  if (Buffer.compare(begin, end) >= 0) return { rows, next: null };
  for await (const batch of transaction.snapshot().getRangeBatch(begin, end, { streamingMode: SERIAL })) {
    for (const [key, value] of batch) {
      rows.push([key.subarray(prefix.length), value]);
      readBytes += key.length + value.length;
    }
    if (readBytes >= bytes) return { rows, next: Buffer.concat([rows.at(-1)![0], Buffer.of(0)]) };
  }
  return { rows, next: null };
}

/** Rows as they were: what was put aside stands for what is there, and for what is there no more. Both are in the order of keys. */
export function withReplaced(rows: readonly Row[], aside: readonly Row[]): readonly Row[] {
  if (aside.length === 0) return rows;
  const merged: Row[] = [];
  let next = 0;
  const put = ([key, kept]: Row): void => {
    const value = replacedValue(kept);
    if (value !== null) merged.push([key, value]);
  };
  for (const row of rows) {
    let order = -1;
    while (next < aside.length && (order = Buffer.compare(aside[next]![0], row[0])) < 0) put(aside[next++]!);
    if (next < aside.length && order === 0) put(aside[next++]!);
    else merged.push(row);
  }
  while (next < aside.length) put(aside[next++]!);
  return merged;
}
