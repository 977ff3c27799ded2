import { effectiveByMs } from './effective.ts';
import type { RegisterOperation } from './linearizability.ts';
import { registerOwner } from './registers.ts';
import { survivingCopy } from './survivor.ts';
import type { Operation, RunView } from './view.ts';

export interface RegisterHistory {
  readonly key: string;
  readonly operations: readonly RegisterOperation[];
}

/**
 * The history of every register, as the search for an order wants it:
 * - a write that was refused or never sent took no effect and is left out (that it did not is no-holes' question);
 * - a write without an answer that nobody ever read is left out too: whoever could be placed with it can be placed without it. One that was
 *   read took effect by the end of the first read that returned it;
 * - what is left after the run is one last read, of the copy of the region that serves.
 * An operation counts from before it was sent: more orders are allowed than really were, never fewer.
 */
export function registerHistories(view: RunView): readonly RegisterHistory[] {
  const kept = survivingCopy(view);
  const effective = effectiveByMs(view.operations);
  const ofRegisters = view.operations.filter((op) => registerOwner(op.key) !== null);
  return [...Map.groupBy(ofRegisters, (op) => op.key)].map(([key, ofKey]) => {
    const last: readonly RegisterOperation[] =
      kept === null
        ? []
        : [
            {
              op: 'read',
              value: kept.entries?.[key] ?? null,
              callMs: kept.atMs,
              returnMs: Number.POSITIVE_INFINITY,
              line: kept.lineNumber,
            },
          ];
    const finalValue = last[0]?.value;
    const operations = ofKey.flatMap((one) => registerOperation(one, one.value === finalValue ? kept?.atMs : undefined, effective));
    return { key, operations: [...operations, ...last] };
  });
}

function registerOperation(
  one: Operation,
  keptMs: number | undefined,
  effective: (put: Operation) => number,
): readonly RegisterOperation[] {
  const { value, sentMs: callMs, completedMs, outcome, line } = one;
  if (one.op === 'get') return outcome === 'ok' ? [{ op: 'read', value, callMs, returnMs: completedMs, line }] : [];
  if (one.op === 'delete' || outcome === 'failed') return [];
  const returnMs = Math.min(effective(one), keptMs ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(returnMs) ? [{ op: 'write', value, callMs, returnMs, line }] : [];
}
