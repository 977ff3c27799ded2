import type { CopyAccount } from './backup-account.ts';
import { isBulkEntry } from './bulk-values.ts';
import { effectiveByMs } from './effective.ts';
import { isEngineKey, registerOwner } from './registers.ts';
import type { Operation, RunView } from './view.ts';

export interface CopyWindow {
  /** The copy has what was acknowledged before; null: nothing is asked. */
  readonly fromMs: number | null;
  /** The copy has nothing that began after. */
  readonly toMs: number;
  /** Only keys that begin so were restored. */
  readonly prefix: string;
}

/** A bound on the copy's instant, and the operation that it comes from. */
interface Bound {
  readonly ms: number;
  readonly line: number;
  readonly why: string;
}

/** What one key says: its instant is at or after `after`, at or before `before`, and not within `gap`. */
interface Says {
  readonly after?: Bound;
  readonly before?: Bound;
  readonly gap?: { readonly from: Bound; readonly to: Bound };
  readonly problem?: string;
  readonly line?: number;
}

/**
 * A restored copy against the ledger. Every write takes effect at one instant between when it was sent and its answer; a copy is the state
 * at one instant too. So a write that the copy has puts that instant after its start, and an acknowledged one that the copy lacks puts it before
 * its answer. Where no instant fits all of them, the copy is no state that the system ever had: something is missing, or is too much.
 */
export function compareCopy(
  view: RunView,
  copy: Readonly<Record<string, string>>,
  window: CopyWindow,
): Omit<CopyAccount, 'bytes' | 'bulkAtLeast'> {
  const own = new Map(Object.entries(copy).filter(([key]) => !isEngineKey(key)));
  const bulk = [...own].filter(([key, value]) => isBulkEntry(view.scenario, key, value));
  for (const [key] of bulk) own.delete(key);
  const writes = view.operations.filter((op) => op.op !== 'get' && op.key.startsWith(window.prefix));
  const byKey = Map.groupBy(writes, (op) => op.key);
  const effective = effectiveByMs(view.operations);
  const says = [
    ...[...byKey].map(([key, ops]) => sayOf({ key, ops, effective }, own.get(key) ?? null)),
    ...[...own].flatMap(([key, value]) => (byKey.has(key) ? [] : [{ problem: `${key} = ${value.slice(0, 60)}, which no client wrote` }])),
    ...bulk.flatMap(([key]) => (key.startsWith(window.prefix) ? [] : [{ problem: `${key} is outside of ${window.prefix}` }])),
  ];
  const { stateMs, problems, lines } = solve(says, window);
  return { stateMs, problems, lines, entries: own.size, bulkEntries: bulk.length };
}

interface Key {
  readonly key: string;
  readonly ops: readonly Operation[];
  /** By when a put was certainly in effect. */
  readonly effective: (put: Operation) => number;
}

function sayOf(of: Key, value: string | null): Says {
  const { key, ops } = of;
  const put = value === null ? undefined : ops.find((op) => op.op === 'put' && op.value === value);
  if (value !== null && put === undefined) return { problem: `${key} = ${value.slice(0, 60)}, which no client wrote there` };
  if (put?.outcome === 'failed') return { problem: `${key} = ${put.value}, a write that was refused or never sent`, line: put.line };
  return registerOwner(key) === null ? sayUnique(of, put) : sayRegister(of, put);
}

const acknowledged = (op: Operation): boolean => op.outcome === 'ok';
/** It had begun by then. */
const seen = (op: Operation, what: string): Bound => ({ ms: op.sentMs, line: op.line, why: `has ${what}` });
/** It was not done yet. */
const unseen = (op: Operation, what: string): Bound => ({ ms: op.completedMs, line: op.line, why: `lacks ${what}` });

/** One put, at most one delete. */
function sayUnique({ key, ops }: Key, put: Operation | undefined): Says {
  const deletes = ops.filter((op) => op.op === 'delete' && op.outcome !== 'failed');
  if (put !== undefined) {
    // A write of unknown outcome may have come after the delete.
    const undone = deletes.find((op) => acknowledged(op) && acknowledged(put) && put.completedMs < op.sentMs);
    const before = undone === undefined ? {} : { before: unseen(undone, `the delete of ${key}`) };
    return { after: seen(put, key), ...before };
  }
  const missing = ops.find((op) => op.op === 'put' && acknowledged(op));
  if (missing === undefined) return {};
  const [deletion] = deletes;
  const before = unseen(missing, key);
  if (deletion === undefined) return { before };
  // Not there yet, or deleted already.
  const from = before;
  const to = seen(deletion, `the delete of ${key}`);
  return from.ms < to.ms ? { gap: { from, to } } : {};
}

/** Puts of one client only: those that began after the one that is there was done are not in the copy. */
function sayRegister({ key, ops, effective }: Key, put: Operation | undefined): Says {
  const doneMs = put === undefined ? Number.NEGATIVE_INFINITY : effective(put);
  const later = ops.filter((op) => acknowledged(op) && op !== put && op.sentMs > doneMs);
  const next = least(later.map((op) => unseen(op, `${key} = ${op.value}`)));
  return { ...(put === undefined ? {} : { after: seen(put, `${key} = ${put.value}`) }), ...(next === null ? {} : { before: next }) };
}

function solve(says: readonly Says[], { fromMs, toMs }: CopyWindow): Pick<CopyAccount, 'stateMs' | 'problems' | 'lines'> {
  const problems = says.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const lines = says.flatMap(({ problem, line }) => (problem === undefined || line === undefined ? [] : [line]));
  if (problems.length > 0) return { stateMs: null, problems: shorten(problems), lines: lines.slice(0, 20) };
  const asked = { line: 0 };
  const after = greatest([
    ...says.flatMap((one) => (one.after === undefined ? [] : [one.after])),
    ...(fromMs === null ? [] : [{ ms: fromMs, why: `should have all of before ${seconds(fromMs)}`, ...asked }]),
  ]) ?? { ms: 0, why: 'is a state of the run', ...asked };
  const before = least([
    ...says.flatMap((one) => (one.before === undefined ? [] : [one.before])),
    { ms: toMs, why: `should have nothing of after ${seconds(toMs)}`, ...asked },
  ]) ?? { ms: toMs, why: '', ...asked };
  const told = (low: Bound, high: Bound): string =>
    `the copy ${low.why} (begun at ${seconds(low.ms)}), and ${high.why} (done by ${seconds(high.ms)}): no one state has both`;
  if (after.ms > before.ms) return contradiction([after, before], told(after, before));
  // The gaps in order: whatever is left of the span between and beside them is possible.
  const gaps = says.flatMap(({ gap }) => (gap === undefined ? [] : [gap])).toSorted((a, b) => a.from.ms - b.from.ms);
  let possibleMs = after.ms;
  let last: Bound = after;
  for (const { from, to } of gaps) {
    if (possibleMs <= from.ms || to.ms <= possibleMs) {
      if (possibleMs <= from.ms) break;
      continue;
    }
    possibleMs = to.ms;
    last = to;
  }
  if (possibleMs > before.ms) return contradiction([last, before], told(last, before));
  return { stateMs: { fromMs: possibleMs, toMs: before.ms }, problems: [], lines: [] };
}

function contradiction(bounds: readonly Bound[], problem: string): Pick<CopyAccount, 'stateMs' | 'problems' | 'lines'> {
  return { stateMs: null, problems: [problem], lines: bounds.map(({ line }) => line).filter((line) => line > 0) };
}

const greatest = (bounds: readonly Bound[]): Bound | null =>
  bounds.reduce<Bound | null>((a, b) => (a === null || b.ms > a.ms ? b : a), null);
const least = (bounds: readonly Bound[]): Bound | null => bounds.reduce<Bound | null>((a, b) => (a === null || b.ms < a.ms ? b : a), null);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
const shorten = (problems: readonly string[]): readonly string[] =>
  problems.length <= 5 ? problems : [...problems.slice(0, 5), `and ${problems.length - 5} more`];
