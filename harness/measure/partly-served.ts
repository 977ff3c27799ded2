import { asAwake, sentSteadily } from './brown-out.ts';
import { outagesAfter } from './outages.ts';
import { registerOwner } from './registers.ts';
import { isGood } from './service.ts';
import type { Operation, RunView } from './view.ts';

/** What was asked for again and again, and never answered well any more, while all else was. */
export interface Unserved {
  readonly what: string;
  /** Interruptions of a service that was sustained before and after: one at a time, and none of them long. */
  readonly times: number;
  readonly sinceMs: number;
  readonly lines: readonly number[];
}

/** An accident happens to the same thing once or twice. */
const TIMES = 5;

interface Asked {
  readonly operation: Operation;
  /** Which outage of its vantage it is a part of; null: it was good. */
  readonly outage: string | null;
}

/**
 * Service is sustained where so many operations in a row are good, and what is asked for less often than that may fail each time: all deletes, the reads of one key. By everybody of these vantages, or by one of them.
 */
export function partlyServed(view: RunView, vantages: readonly string[]): readonly Unserved[] {
  const asked = vantages.map((vantage) => ({ vantage, of: askedBy(view, vantage) }));
  const byAll = unserved(
    asked.flatMap(({ of }) => of),
    '',
  );
  if (byAll.length > 0) return byAll;
  return asked.flatMap(({ vantage, of }) => unserved(of, ` from ${vantage}`));
}

function askedBy(view: RunView, vantage: string): readonly Asked[] {
  const operations = asAwake(sentSteadily(view, vantage), view.scenario.workload);
  const sinceMs = view.steadyMs ?? 0;
  const outages = outagesAfter(operations, { lowerMs: sinceMs, upperMs: sinceMs }, view.scenario.workload);
  let at = 0;
  return operations.map((operation) => {
    while ((outages[at]?.lastBad.intendedMs ?? Infinity) < operation.intendedMs) at += 1;
    const outage = outages[at];
    const isWithin = outage !== undefined && outage.firstBad.intendedMs <= operation.intendedMs;
    return { operation, outage: isWithin && !isGood(operation, view.scenario.workload) ? `${vantage} ${at}` : null };
  });
}

function unserved(asked: readonly Asked[], where: string): readonly Unserved[] {
  const inOrder = asked.toSorted((a, b) => a.operation.intendedMs - b.operation.intendedMs);
  return [...Map.groupBy(inOrder, ({ operation }) => whatOf(operation))].flatMap(([what, all]) => {
    const last = all.slice(all.findLastIndex(({ outage }) => outage === null) + 1);
    const times = new Set(last.map(({ outage }) => outage)).size;
    const sinceMs = last[0]?.operation.intendedMs;
    if (sinceMs === undefined || times < TIMES) return [];
    return [{ what: `${what}${where}`, times, sinceMs, lines: last.map(({ operation }) => operation.line) }];
  });
}

const whatOf = ({ op, key }: Operation): string => (registerOwner(key) === null ? op : `${op} ${key}`);
