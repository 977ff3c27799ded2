import type { PinnedData } from '../../database/data-reader.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { hash } from '../format/blake3.ts';
import type { Manifest } from '../format/manifest.ts';

/** What the last entries up to a version are. Versions and epochs alone say nothing where a database began anew under the same name: it counts them again from 1. */
export interface LogTail {
  readonly first: number;
  readonly hash: string;
}

interface TailEntry {
  readonly epoch: number;
  readonly op: string;
  readonly key: string | Uint8Array;
  readonly value: string | Uint8Array;
}

type Logged = Pick<PinnedData, 'identity' | 'entries'>;

export const TAIL_ENTRIES = 16;

/** Null where none of them is in the log any more. */
export function tailOf(data: Logged, through: number): LogTail | null {
  const first = Math.max(data.identity.baseIndex, through - TAIL_ENTRIES) + 1;
  return first > through ? null : { first, hash: hashOfEntries(data.entries(first, through)) };
}

/** Whether the log holds these up to the version; null where it cannot be told any more. */
export function hasTail(data: Logged, through: number, { first, hash: expected }: LogTail): boolean | null {
  const { baseIndex, end } = data.identity;
  return first <= baseIndex || through > end.index ? null : hashOfEntries(data.entries(first, through)) === expected;
}

/** Where a backup was read, with what tells its log from another. */
export function tailIn({ readVersion, generation, tail }: Manifest): LogEnd & { readonly tail: LogTail | null } {
  const own = tail === undefined ? null : { first: Number(tail.first), hash: tail.hash };
  return { index: Number(readVersion), epoch: Number(generation), tail: own };
}

export function hashOfEntries(entries: Iterable<TailEntry>): string {
  const parts: Uint8Array[] = [];
  for (const { epoch, op, key, value } of entries) {
    const [keyBytes, valueBytes] = [Buffer.from(key as string), Buffer.from(value as string)];
    parts.push(Buffer.from(`${epoch} ${op} ${keyBytes.length} ${valueBytes.length} `), keyBytes, valueBytes);
  }
  return hash(Buffer.concat(parts)).toString('hex');
}
