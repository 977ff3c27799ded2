import { effectiveByMs } from './effective.ts';
import type { ReadAccount, StaleRead } from './measurement.ts';
import { registerOwner } from './registers.ts';
import type { Operation, RunView } from './view.ts';

/**
 * Every read of a register against its writes. A read is stale when another write certainly took effect after the value that it
 * returned and before the read was due; a value that nobody wrote is worse. Sound, not complete: what overlaps is allowed.
 */
export function accountReads(view: RunView): ReadAccount {
  const reads = view.operations.filter((op) => op.op === 'get' && op.outcome === 'ok');
  const puts = Map.groupBy(
    view.operations.filter((op) => op.op === 'put' && registerOwner(op.key) !== null),
    (op) => op.key,
  );
  const effective = effectiveByMs(view.operations);
  const stale = reads.flatMap((read) => judgeRead(read, puts.get(read.key) ?? [], effective) ?? []);
  return { reads: reads.length, stale };
}

function judgeRead(read: Operation, puts: readonly Operation[], effective: (put: Operation) => number): StaleRead | null {
  const { vantage, key, value, line } = read;
  const returned = value === null ? undefined : puts.find((put) => put.value === value);
  if (value !== null && returned === undefined) return { vantage, key, value, line, newer: null, newerLine: null };
  const sinceMs = returned === undefined ? Number.NEGATIVE_INFINITY : effective(returned);
  const newer = puts.findLast((put) => put !== returned && put.intendedMs > sinceMs && effective(put) < read.intendedMs);
  return newer === undefined ? null : { vantage, key, value, line, newer: newer.value, newerLine: newer.line };
}
