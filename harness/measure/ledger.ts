import { SCHEDULED_UNDER_WAY } from '../scenario/under-way.ts';
import { effectiveByMs } from './effective.ts';
import type { Hole, WriteAccount, WriteRef } from './measurement.ts';
import type { ReignView } from './reigns.ts';
import { isBulkEntry } from './bulk-values.ts';
import { issuedBy } from './issued.ts';
import { doneDeletes, lostUnread, seenLater } from './lost-tail.ts';
import { isEngineKey, registerOwner } from './registers.ts';
import { survivingCopy } from './survivor.ts';
import { eventsOf, type Operation, type RunView } from './view.ts';

/**
 * Every write with its outcome, held against the copy of the region that serves after the run. Pure. Keys are either unique (one put,
 * at most one delete, by one vantage) or registers (puts only, by one vantage); see harness/workload/plan.ts. `gone` are writes of
 * registers that reads showed to be lost before they were overwritten (reads.ts).
 */
export function accountWrites(view: RunView, reigns: ReignView, gone: readonly Operation[]): WriteAccount {
  const writes = view.operations.filter((op) => op.op !== 'get');
  const count = (outcome: Operation['outcome']): number => writes.filter((op) => op.outcome === outcome).length;
  const counts = { issued: writes.length, acknowledged: count('ok'), failed: count('failed'), unknown: count('unknown') };
  const copy = survivingCopy(view);
  if (copy === null) {
    const nothing = { lost: [], holes: [], resurrected: [], phantoms: [], foreign: [], unsaved: [] };
    return { ...counts, readBackRegion: null, ...nothing, recoveryPointMs: null, lostFromStart: false };
  }
  const entries = new Map(Object.entries(copy.entries ?? {}));
  const compared = compare(writes, entries, effectiveByMs(view.operations));
  const missed = [...new Set([...compared.lost, ...gone])];
  // Only what is there as it was written is proof of presence; what was overwritten or deleted since is not, unless it was read.
  const present = writes.filter((op) => op.op === 'put' && op.outcome === 'ok' && entries.get(op.key) === op.value);
  const latest = latestOfTerms(reigns, present);
  const seen = seenLater(view, reigns, latest);
  const lost = [...missed, ...lostUnread(view, reigns, { lost: missed, latest, seen })].toSorted(byCompletion);
  return {
    ...counts,
    readBackRegion: copy.region,
    lost: lost.map(writeRef),
    holes: findHoles(reigns, lost, latestOfTerms(reigns, [...present, ...seen, ...doneDeletes(view, reigns, { entries, latest })])),
    resurrected: lost.filter((op) => op.op === 'delete').map(writeRef),
    phantoms: compared.phantoms.map(writeRef),
    foreign: foreignEntries(view, writes, entries),
    unsaved: unsavedWrites(view, lost),
    recoveryPointMs: recoveryPoint(lost, present, reigns),
    lostFromStart: lost.length > 0 && beforeLoss(lost, present).length === 0,
  };
}

interface Comparison {
  readonly lost: readonly Operation[];
  readonly phantoms: readonly Operation[];
}
type Effective = (put: Operation) => number;

function compare(writes: readonly Operation[], entries: ReadonlyMap<string, string>, effective: Effective): Comparison {
  const results = [...Map.groupBy(writes, (op) => op.key)].map(([key, ofKey]) => {
    const value = entries.get(key) ?? null;
    return registerOwner(key) === null ? compareUnique(ofKey, value) : compareRegister(ofKey, value, effective);
  });
  return { lost: results.flatMap((one) => one.lost), phantoms: results.flatMap((one) => one.phantoms).toSorted(byCompletion) };
}

function byCompletion(a: Operation, b: Operation): number {
  return a.completedMs - b.completedMs;
}

function compareUnique(ofKey: readonly Operation[], value: string | null): Comparison {
  const put = ofKey.find((op) => op.op === 'put');
  const deletes = ofKey.filter((op) => op.op === 'delete');
  if (value === null) {
    const mayBeDeleted = deletes.some((op) => op.outcome !== 'failed');
    return { lost: put?.outcome === 'ok' && !mayBeDeleted ? [put] : [], phantoms: [] };
  }
  const wrong = put?.outcome === 'ok' && value !== put.value ? [put] : [];
  const undone = deletes.filter((op) => op.outcome === 'ok' && put?.outcome === 'ok' && put.completedMs < op.sentMs);
  return { lost: [...wrong, ...undone], phantoms: put?.outcome === 'failed' ? [put] : [] };
}

/** A register keeps one value; every write that was acknowledged, or read, and that began certainly after that value took effect is lost. */
function compareRegister(puts: readonly Operation[], value: string | null, effective: Effective): Comparison {
  const kept = value === null ? undefined : puts.find((op) => op.value === value);
  const sinceMs = value === null ? Number.NEGATIVE_INFINITY : kept === undefined ? Number.POSITIVE_INFINITY : effective(kept);
  return {
    lost: puts.filter((op) => op.outcome !== 'failed' && Number.isFinite(effective(op)) && op !== kept && sinceMs < op.sentMs),
    phantoms: kept?.outcome === 'failed' ? [kept] : [],
  };
}

/** Of each term the write that began last. */
function latestOfTerms({ termOfLine }: ReignView, present: readonly Operation[]): ReadonlyMap<number, Operation> {
  const latest = new Map<number, Operation>();
  for (const op of present) {
    const term = termOfLine.get(op.line);
    if (term !== undefined && (latest.get(term)?.sentMs ?? Number.NEGATIVE_INFINITY) < op.sentMs) latest.set(term, op);
  }
  return latest;
}

/** Within one term the log is one order: a write that was over before another began is before it, so it cannot be missing alone. */
function findHoles(reigns: ReignView, lost: readonly Operation[], latest: ReadonlyMap<number, Operation>): readonly Hole[] {
  return lost.flatMap((op) => {
    const later = latest.get(reigns.termOfLine.get(op.line) ?? -1);
    return later !== undefined && op.completedMs < later.sentMs ? [{ lost: writeRef(op), present: writeRef(later) }] : [];
  });
}

/** Writes that are there, and were acknowledged before the first one that is lost. */
function beforeLoss([first]: readonly Operation[], present: readonly Operation[]): readonly Operation[] {
  return present.filter((op) => op.completedMs < (first?.completedMs ?? Infinity));
}

/**
 * Acknowledgement of the last lost write minus that of the newest surviving write before the first lost one (its own start if none). Of several losses the worst: what was lost with one term is no part of what was lost
 * with a later one where something of between the two is there.
 */
function recoveryPoint(lost: readonly Operation[], present: readonly Operation[], reigns: ReignView): number {
  const points = lossesOf(lost, present, reigns).map((one) => {
    const before = beforeLoss(one, present);
    const newestMs = before.reduce((latest, op) => Math.max(latest, op.completedMs), Number.NEGATIVE_INFINITY);
    return (one.at(-1)?.completedMs ?? 0) - (before.length === 0 ? (one[0]?.intendedMs ?? 0) : newestMs);
  });
  return Math.max(0, ...points);
}

/** Lost writes, in the order of their acknowledgement, in groups between which a write of a later term is there. */
function lossesOf(lost: readonly Operation[], present: readonly Operation[], { termOfLine }: ReignView): readonly (readonly Operation[])[] {
  const termOf = ({ line }: Operation): number => termOfLine.get(line) ?? Number.NEGATIVE_INFINITY;
  const firstMs = [...Map.groupBy(present, termOf)].map(([of, writes]) => ({
    of,
    ms: writes.reduce((least, op) => Math.min(least, op.completedMs), Infinity),
  }));
  const losses: Operation[][] = [];
  let term = Number.NEGATIVE_INFINITY;
  for (const op of lost) {
    const isNext = firstMs.some(({ of, ms }) => of > term && ms < op.completedMs);
    const current = losses.at(-1);
    if (current === undefined || (isNext && termOf(op) > term)) losses.push([op]);
    else current.push(op);
    term = Math.max(term, termOf(op));
  }
  return losses;
}

function foreignEntries(view: RunView, writes: readonly Operation[], entries: ReadonlyMap<string, string>): WriteAccount['foreign'] {
  const issued = new Set(writes.flatMap((op) => (op.op === 'put' ? [`${op.key} ${op.value ?? ''}`] : [])));
  return [...entries].flatMap(([key, value]) =>
    isEngineKey(key) || isBulkEntry(view.scenario, key, value) || issued.has(`${key} ${value}`) || mayBeUnderWay(view, key, value)
      ? []
      : [{ key, value }],
  );
}

/**
 * Of what a vantage had under way when it died the values are unknown writes, not foreign ones: under the keys that it would have written them to. One that said at its end how many operations it had sent had nothing more
 * under way.
 */
function mayBeUnderWay(view: RunView, key: string, value: string): boolean {
  const [, vantage = '', number] = /^(.+)\/(\d+)$/.exec(value) ?? [];
  const seqs = view.byVantage.get(vantage)?.map(({ seq }) => seq);
  if (seqs === undefined || issuedBy(view).has(vantage) || (key !== value && registerOwner(key) !== vantage)) return false;
  const last = seqs.reduce((max, seq) => Math.max(max, seq), 0);
  return Number(number) > last && Number(number) <= last + SCHEDULED_UNDER_WAY;
}

/** Lost writes that are in no divergent tail which a region exported: what was rolled back must not disappear silently. */
function unsavedWrites(view: RunView, lost: readonly Operation[]): readonly WriteRef[] {
  const name = (op: string, key: string, value: string | null | undefined): string => `${op} ${key} ${value ?? ''}`;
  const tails = eventsOf(view.events, 'divergent-tail').flatMap((event) => event.entries);
  const saved = new Set(tails.map((entry) => name(entry.op, entry.key, entry.value)));
  return lost.filter((op) => !saved.has(name(op.op, op.key, op.value))).map(writeRef);
}

export function writeRef(op: Operation): WriteRef {
  const { vantage, seq, key, value, intendedMs, completedMs, outcome, region, line } = op;
  return { vantage, seq, op: op.op === 'delete' ? 'delete' : 'put', key, value, intendedMs, completedMs, outcome, region, line };
}
