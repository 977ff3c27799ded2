import { registerOwner } from './registers.ts';
import type { ReignView } from './reigns.ts';
import type { Operation, RunView } from './view.ts';

/** Writes of registers that a later term is known to have had, though they were overwritten since: read in it, and something that it acknowledged after that is there. */
export function seenLater(view: RunView, { termOfLine }: ReignView, latest: ReadonlyMap<number, Operation>): ReadonlySet<Operation> {
  const puts = new Map(view.operations.filter(isRegisterPut).map((put) => [`${put.key} ${put.value}`, put]));
  const seen = new Set<Operation>();
  for (const read of view.operations) {
    const put = read.op === 'get' && read.outcome === 'ok' ? puts.get(`${read.key} ${read.value}`) : undefined;
    const [term, readTerm] = [termOfLine.get(put?.line ?? -1), termOfLine.get(read.line)];
    if (put === undefined || term === undefined || readTerm === undefined || readTerm <= term) continue;
    if ((latest.get(readTerm)?.sentMs ?? -Infinity) > read.completedMs) seen.add(put);
  }
  return seen;
}

/** Deletes that certainly took effect: their key is not there, and what its term acknowledged after its put is. */
export function doneDeletes(
  view: RunView,
  { termOfLine }: ReignView,
  { entries, latest }: { readonly entries: ReadonlyMap<string, string>; readonly latest: ReadonlyMap<number, Operation> },
): readonly Operation[] {
  const puts = new Map(view.operations.filter(({ op, outcome }) => op === 'put' && outcome === 'ok').map((put) => [put.key, put]));
  return view.operations.filter(({ op, outcome, key }) => {
    const put = op === 'delete' && outcome === 'ok' && !entries.has(key) ? puts.get(key) : undefined;
    return put !== undefined && (latest.get(termOfLine.get(put.line) ?? -1)?.sentMs ?? -Infinity) > put.completedMs;
  });
}

/**
 * Writes of registers that were lost with the end of their term, and that nobody missed, as the register was written anew before anybody read it: begun when a write was over that the term's end took with it, of which the
 * next term has nothing. `latest`: of each term the write that is there and began last.
 */
export function lostUnread(
  view: RunView,
  { termOfLine }: ReignView,
  {
    lost,
    latest,
    seen,
  }: { readonly lost: readonly Operation[]; readonly latest: ReadonlyMap<number, Operation>; readonly seen: ReadonlySet<Operation> },
): readonly Operation[] {
  const termOf = ({ line }: Operation): number => termOfLine.get(line) ?? -1;
  const cutMs = new Map<number, number>();
  for (const op of lost) {
    const term = termOf(op);
    const isTail = op.completedMs >= (latest.get(term)?.sentMs ?? -Infinity);
    if (term >= 0 && isTail && latest.has(term + 1)) cutMs.set(term, Math.min(cutMs.get(term) ?? Infinity, op.completedMs));
  }
  const known = new Set(lost);
  return view.operations.filter(
    (op) => isRegisterPut(op) && op.outcome === 'ok' && op.sentMs > (cutMs.get(termOf(op)) ?? Infinity) && !known.has(op) && !seen.has(op),
  );
}

const isRegisterPut = ({ op, key }: Operation): boolean => op === 'put' && registerOwner(key) !== null;
