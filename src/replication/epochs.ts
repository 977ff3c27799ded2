import { EngineError } from '../platform/errors.ts';

/**
 * Which epoch wrote which part of a log: `[epoch, first index]`, both ascending. An epoch has one writer and writes an index once, so that two logs hold
 * the same entry exactly where both ascribe an index to the same epoch (and the same everything before it). The table outlives trimming.
 */
export type EpochTable = readonly (readonly [epoch: number, firstIndex: number])[];

/** The end of a log: 0, 0 when it is empty. */
export interface LogEnd {
  readonly epoch: number;
  readonly index: number;
}

/** Epoch of the entry at `index` in a log that ends at `lastIndex`; 0 for index 0, null beyond the end. */
export function epochAt(table: EpochTable, lastIndex: number, index: number): number | null {
  if (index === 0) return 0;
  if (index > lastIndex) return null;
  return table.findLast(([, first]) => first <= index)?.[0] ?? null;
}

export function endOf(table: EpochTable, lastIndex: number): LogEnd {
  return { epoch: epochAt(table, lastIndex, lastIndex) ?? 0, index: lastIndex };
}

/** The table after an entry of `epoch` was appended at `index`. */
export function withEntry(table: EpochTable, epoch: number, index: number): EpochTable {
  return table.at(-1)?.[0] === epoch ? table : [...table, [epoch, index]];
}

/** The table after these entries were appended to a log that ends at `lastIndex`. @throws EngineError internal where they do not follow it */
export function withEntries(table: EpochTable, lastIndex: number, entries: readonly LogEnd[]): EpochTable {
  let epochs = table;
  for (const [i, { epoch, index }] of entries.entries()) {
    const before = epochs.at(-1)?.[0] ?? 0;
    if (index !== lastIndex + 1 + i || epoch < before || epoch < 1)
      throw new EngineError('internal', `entry (${epoch}, ${index}) does not follow (${before}, ${lastIndex + i})`);
    epochs = withEntry(epochs, epoch, index);
  }
  return epochs;
}

/** The table after everything above `afterIndex` was removed. */
export function truncated(table: EpochTable, afterIndex: number): EpochTable {
  return table.filter(([, first]) => first <= afterIndex);
}

/** Last index up to which the two logs hold the same entries; 0 when they share none. */
export function commonPoint(a: EpochTable, aLastIndex: number, b: EpochTable, bLastIndex: number): number {
  let common = 0;
  for (const [i, [epoch, first]] of a.entries()) {
    const j = b.findIndex((candidate) => candidate[0] === epoch);
    // Different starts of one epoch cannot come from one writer; share nothing rather than guess.
    if (j < 0 || b[j]?.[1] !== first) continue;
    common = Math.max(common, Math.min(lastOf(a, i, aLastIndex), lastOf(b, j, bLastIndex)));
  }
  return common;
}

function lastOf(table: EpochTable, position: number, lastIndex: number): number {
  const next = table[position + 1];
  return next === undefined ? lastIndex : next[1] - 1;
}

/** Whether log `a` is to be preferred to log `b`: (epoch, index) in order, as for a vote. */
export function isLonger(a: LogEnd, b: LogEnd): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.index > b.index);
}
