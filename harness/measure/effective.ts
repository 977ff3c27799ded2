import type { Operation } from './view.ts';

/**
 * The latest instant at which a write took effect: its acknowledgement, or the end of the first read that returned it. Infinite when
 * neither is known: a write without an answer may take effect at any time later.
 */
export function effectiveByMs(operations: readonly Operation[]): (put: Operation) => number {
  const firstRead = new Map<string, number>();
  for (const { op, outcome, key, value, completedMs } of operations) {
    if (op !== 'get' || outcome !== 'ok' || value === null) continue;
    const name = `${key} ${value}`;
    firstRead.set(name, Math.min(firstRead.get(name) ?? Number.POSITIVE_INFINITY, completedMs));
  }
  return (put) =>
    Math.min(
      put.outcome === 'ok' ? put.completedMs : Number.POSITIVE_INFINITY,
      firstRead.get(`${put.key} ${put.value ?? ''}`) ?? Number.POSITIVE_INFINITY,
    );
}
