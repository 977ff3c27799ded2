import { issuedBy } from '../measure/issued.ts';
import type { Operation, RunView } from '../measure/view.ts';
import { DELETES_UNDER_WAY, SCHEDULED_UNDER_WAY } from '../scenario/under-way.ts';
import { finding, type Check } from './check.ts';
import { clientsHit } from './clients-hit.ts';

const NAME = 'whole-record';
const MOST_UNDER_WAY = SCHEDULED_UNDER_WAY + DELETES_UNDER_WAY;
/** By so much a time limit may be late where its client waits for a processor. */
const LATE_LIMIT_MS = 500;

/**
 * Every client numbers what it sends without a gap, so that an operation that is missing from the record shows: a write that nobody knows
 * of cannot be missed; and says at its end how many there were, so that the last ones are missed too. Of clients that a fault killed what they had
 * under way by then died with them, and no more.
 */
export const wholeRecord: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Is every operation that was sent in the record?',
  judge: ({ view }) => {
    const hit = clientsHit(view);
    const issued = issuedBy(view);
    const vantages = new Set([...view.started.vantages, ...view.byVantage.keys()]);
    const problems = [...vantages].flatMap((vantage) => missing(view, vantage, { issued: issued.get(vantage), hitMs: hit.get(vantage) }));
    if (problems.length > 0) return problems.map((problem) => finding(NAME, 'inconclusive', problem));
    return [finding(NAME, 'pass', `all ${view.operations.length} operations are there, from the first to the last of each client`)];
  },
};

function missing(
  view: RunView,
  vantage: string,
  { issued, hitMs }: { readonly issued: number | undefined; readonly hitMs: number | undefined },
): readonly string[] {
  const mayLack = hitMs === undefined ? 0 : MOST_UNDER_WAY;
  if (issued === undefined && mayLack === 0) return [`${vantage} never said that it had told everything`];
  const operations = view.byVantage.get(vantage) ?? [];
  const numbers = new Set(operations.map((op) => op.seq));
  const due = operations.reduce((last, op) => Math.max(last, op.seq + 1), issued ?? 0);
  if (numbers.size < operations.length) return [`${vantage}: ${operations.length - numbers.size} operation(s) are recorded twice`];
  if (numbers.size < due - mayLack) return [`${vantage}: ${due - numbers.size} of ${due} operations are not in the record`];
  const untold = hitMs === undefined ? 0 : untoldBefore(view, operations, hitMs);
  return untold === 0 ? [] : [`${vantage}: ${untold} of what it had sent long before it was killed are not in the record`];
}

/** Nothing is under way for longer than its limit: what it had sent before that was over, and told, when the client was killed. */
function untoldBefore({ scenario }: RunView, operations: readonly Operation[], hitMs: number): number {
  const sinceMs = hitMs - scenario.workload.timeoutMs - LATE_LIMIT_MS;
  const over = operations.filter(({ intendedMs, lateMs = 0 }) => intendedMs + lateMs < sinceMs);
  const last = over.reduce((max, { seq }) => Math.max(max, seq), -1);
  return last + 1 - new Set(operations.flatMap(({ seq }) => (seq <= last ? [seq] : []))).size;
}
