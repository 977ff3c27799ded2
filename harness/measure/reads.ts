import { ByTime, firstBy } from './by-time.ts';
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
 * returned and before the read was sent; a value that nobody wrote is worse. Sound, not complete: what overlaps is allowed.
 */
export function measureReads(view: RunView, reigns: ReignView): ReadView {
  const reads = view.operations.filter((op) => op.op === 'get' && op.outcome === 'ok');
  const effective = effectiveByMs(view.operations);
  const puts = new Map<string, Puts>();
  const ofRegisters = view.operations.filter((op) => op.op === 'put' && registerOwner(op.key) !== null);
  for (const [key, all] of Map.groupBy(ofRegisters, (op) => op.key))
    puts.set(key, {
      byValue: firstBy(all, (put) => put.value),
      byEffect: new ByTime(all, (put) => ({ beganMs: put.sentMs, doneMs: effective(put) })),
      effective,
    });
  const readsOf = Map.groupBy(reads, (read) => `${read.key} ${read.value}`);
  const kept = survivingCopy(view)?.entries ?? {};
  const stale: StaleRead[] = [];
  const gone = new Set<Operation>();
  for (const read of reads) {
    const missing = missingAt(read, puts.get(read.key));
    if (missing === 'foreign' || missing === 'refused') stale.push(staleRead(read, null));
    else {
      const lost = missing.filter(
        (put) => kept[put.key] !== put.value && isGone(put, read, { reads: readsOf.get(`${put.key} ${put.value}`) ?? [], reigns }),
      );
      for (const put of lost) gone.add(put);
      const newer = missing.findLast((put) => !lost.includes(put));
      if (newer !== undefined) stale.push(staleRead(read, newer));
    }
  }
  return { account: { reads: reads.length, stale }, gone: [...gone] };
}

/** Of one register. */
interface Puts {
  readonly byValue: ReadonlyMap<string | null, Operation>;
  readonly byEffect: ByTime<Operation>;
  readonly effective: (put: Operation) => number;
}

/** Writes that the read should have seen at least, in the order of the record; `foreign` when it returned what nobody wrote, `refused` when a write that was refused or never sent. */
function missingAt(read: Operation, puts: Puts | undefined): readonly Operation[] | 'foreign' | 'refused' {
  const returned = read.value === null ? undefined : puts?.byValue.get(read.value);
  if (read.value !== null && returned === undefined) return 'foreign';
  if (returned?.outcome === 'failed') return 'refused';
  if (puts === undefined) return [];
  const sinceMs = returned === undefined ? Number.NEGATIVE_INFINITY : puts.effective(returned);
  const candidates = puts.byEffect.between(sinceMs, read.sentMs);
  return candidates.filter((put) => put !== returned && put.sentMs > sinceMs).toSorted((a, b) => a.line - b.line);
}

/** `reads` of just that write. Done in an earlier term than the read's, and never read again: lost with that term. Otherwise the read was just stale. */
function isGone(put: Operation, read: Operation, { reads, reigns }: { reads: readonly Operation[]; reigns: ReignView }): boolean {
  // A write without an answer was done under the reign in which it was first read.
  const [seen] = reads;
  const before = reigns.termOfLine.get(put.line) ?? reigns.termOfLine.get(seen?.line ?? -1);
  const now = reigns.termOfLine.get(read.line);
  if (before === undefined || now === undefined || before >= now) return false;
  return !reads.some((other) => other.completedMs > read.intendedMs);
}

function staleRead({ vantage, key, value, line }: Operation, newer: Operation | null): StaleRead {
  return { vantage, key, value, line, newer: newer?.value ?? null, newerLine: newer?.line ?? null };
}
