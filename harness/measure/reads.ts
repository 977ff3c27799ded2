import { effectiveByMs } from './effective.ts';
import type { ReadAccount, StaleRead } from './measurement.ts';
import { registerOwner } from './registers.ts';
import type { ReignView } from './reigns.ts';
import { survivingCopy } from './survivor.ts';
import type { Operation, RunView } from './view.ts';

export interface ReadView {
  readonly account: ReadAccount;
  /**
   * Writes that were acknowledged, or read, which is as good, under one reign, that a read of a later reign showed to be gone, and that
   * nobody saw again: lost, though overwritten since.
   */
  readonly gone: readonly Operation[];
}

/**
 * Every read of a register against its writes. A read is stale when another write certainly took effect after the value that it
 * returned and before the read was due; a value that nobody wrote is worse. Sound, not complete: what overlaps is allowed.
 */
export function measureReads(view: RunView, reigns: ReignView): ReadView {
  const reads = view.operations.filter((op) => op.op === 'get' && op.outcome === 'ok');
  const puts = Map.groupBy(
    view.operations.filter((op) => op.op === 'put' && registerOwner(op.key) !== null),
    (op) => op.key,
  );
  const kept = survivingCopy(view)?.entries ?? {};
  const effective = effectiveByMs(view.operations);
  const stale: StaleRead[] = [];
  const gone = new Set<Operation>();
  for (const read of reads) {
    const ofKey = puts.get(read.key) ?? [];
    const missing = missingAt(read, ofKey, effective);
    if (missing === 'foreign') stale.push(staleRead(read, null));
    else {
      const lost = missing.filter((put) => kept[put.key] !== put.value && isGone(put, read, { reads, reigns }));
      for (const put of lost) gone.add(put);
      const newer = missing.findLast((put) => !lost.includes(put));
      if (newer !== undefined) stale.push(staleRead(read, newer));
    }
  }
  return { account: { reads: reads.length, stale }, gone: [...gone] };
}

/** Writes that the read should have seen at least; `foreign` when it returned what nobody wrote. */
function missingAt(read: Operation, puts: readonly Operation[], effective: (put: Operation) => number): readonly Operation[] | 'foreign' {
  const returned = read.value === null ? undefined : puts.find((put) => put.value === read.value);
  if (read.value !== null && returned === undefined) return 'foreign';
  const sinceMs = returned === undefined ? Number.NEGATIVE_INFINITY : effective(returned);
  return puts.filter((put) => put !== returned && put.intendedMs > sinceMs && effective(put) < read.intendedMs);
}

/** Done in an earlier term than the read's, and never read again: lost with that term. Otherwise the read was just stale. */
function isGone(put: Operation, read: Operation, { reads, reigns }: { reads: readonly Operation[]; reigns: ReignView }): boolean {
  // A write without an answer was done under the reign in which it was first read.
  const seen = reads.find((other) => other.key === put.key && other.value === put.value);
  const before = reigns.termOfLine.get(put.line) ?? reigns.termOfLine.get(seen?.line ?? -1);
  const now = reigns.termOfLine.get(read.line);
  if (before === undefined || now === undefined || before >= now) return false;
  return !reads.some((other) => other.key === put.key && other.value === put.value && other.completedMs > read.intendedMs);
}

function staleRead({ vantage, key, value, line }: Operation, newer: Operation | null): StaleRead {
  return { vantage, key, value, line, newer: newer?.value ?? null, newerLine: newer?.line ?? null };
}
