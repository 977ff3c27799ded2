/** One operation on one register; `callMs` to `returnMs` is when it can have taken effect. Values of writes are unique. */
export interface RegisterOperation {
  readonly op: 'read' | 'write';
  /** null: the register was empty. */
  readonly value: string | null;
  readonly callMs: number;
  readonly returnMs: number;
  /** Line of the record. */
  readonly line: number;
}

export type Linearizability =
  | { readonly state: 'linearizable'; readonly steps: number }
  /** `stuck`: the operation that fits nowhere, at the furthest point that any order reached; `value`: what the register held there. */
  | { readonly state: 'violated'; readonly stuck: RegisterOperation; readonly value: string | null; readonly steps: number }
  /** More orders than the budget allows to try: nothing is known. */
  | { readonly state: 'undecided'; readonly steps: number };

/**
 * Whether there is one order of all these operations that respects real time (what had returned before another was called comes first) and
 * in which every read returns the latest write: Wing and Gong's search, with Lowe's memory of what was tried before. Keys are independent of
 * each other (locality), so each is searched by itself. Pure and deterministic; gives up after `budget` steps.
 */
export function linearize(operations: readonly RegisterOperation[], budget: number): Linearizability {
  const sorted = operations.toSorted((a, b) => a.callMs - b.callMs || a.returnMs - b.returnMs);
  const tried = new Set<string>();
  const open: Placed[] = [{ from: 0, ahead: [], value: null, count: 0 }];
  let furthest: Placed | undefined;
  let steps = 0;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.count === sorted.length) return { state: 'linearizable', steps };
    if (++steps > budget) return { state: 'undecided', steps };
    if (furthest === undefined || at.count > furthest.count) furthest = at;
    for (const index of choices(sorted, at)) {
      const next = place(sorted, at, index);
      const name = `${next.from};${next.ahead.join()};${next.value ?? ''}`;
      if (tried.has(name)) continue;
      tried.add(name);
      open.push(next);
    }
  }
  const stuck = furthest === undefined ? undefined : soonest(sorted, furthest);
  if (furthest === undefined || stuck === undefined) return { state: 'linearizable', steps };
  return { state: 'violated', stuck, value: furthest.value, steps };
}

/** Everything below `from` is placed, and of the rest those `ahead` (ascending). */
interface Placed {
  readonly from: number;
  readonly ahead: readonly number[];
  readonly value: string | null;
  readonly count: number;
}

/** What may come next: called before any operation that is not placed has returned. A read that fits at once is never better placed later. */
function choices(sorted: readonly RegisterOperation[], { from, ahead, value }: Placed): readonly number[] {
  const candidates: number[] = [];
  let firstReturnMs = Number.POSITIVE_INFINITY;
  for (let index = from; index < sorted.length; index++) {
    const one = sorted[index];
    if (one === undefined || one.callMs > firstReturnMs) break;
    if (ahead.includes(index)) continue;
    candidates.push(index);
    firstReturnMs = Math.min(firstReturnMs, one.returnMs);
  }
  const allowed = candidates.filter((index) => (sorted[index]?.callMs ?? 0) <= firstReturnMs);
  const reads = allowed.find((index) => sorted[index]?.op === 'read' && sorted[index].value === value);
  if (reads !== undefined) return [reads];
  return allowed.filter((index) => sorted[index]?.op === 'write').toReversed(); // the stack gives the earliest first
}

function place(sorted: readonly RegisterOperation[], { from, ahead, value, count }: Placed, index: number): Placed {
  const one = sorted[index];
  const placed = new Set([...ahead, index]);
  let next = from;
  while (placed.delete(next)) next++;
  return {
    from: next,
    ahead: [...placed].toSorted((a, b) => a - b),
    value: one?.op === 'write' ? one.value : value,
    count: count + 1,
  };
}

function soonest(sorted: readonly RegisterOperation[], { from, ahead }: Placed): RegisterOperation | undefined {
  return sorted
    .filter((_, index) => index >= from && !ahead.includes(index))
    .reduce<RegisterOperation | undefined>((best, one) => (best === undefined || one.returnMs < best.returnMs ? one : best), undefined);
}
