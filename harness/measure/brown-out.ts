import type { Scenario, Workload } from '../scenario/scenario.ts';
import { clientAway } from './client-away.ts';
import type { BrownOut } from './measurement.ts';
import { outagesAfter } from './outages.ts';
import type { Operation, RunView } from './view.ts';

/** A pause that no operation fails of, and catching up after it, is no brown-out; what lasts longer is none of a busy machine. */
const DEFAULT_LIMIT_MS = 2000;
/** Brown-outs that come again and again: those of so long count together. */
const TOGETHER_MS = 60_000;

interface Stretch {
  readonly firstBad: Operation;
  readonly lastBad: Operation;
  /** What certainly was late, and what may have been: from the operation before the first late one to the first of sustained service. */
  readonly certainMs: number;
  readonly possibleMs: number;
  readonly over: boolean;
}

/** For how long answers may come too late; null: not asked, since the scenario allows an outage. */
export function brownOutLimit({ expect, targets }: Scenario): { readonly ms: number; readonly stated: boolean } | null {
  if (expect.outage !== 'none') return null;
  const stated = targets.brownOutMs ?? null;
  return { ms: stated ?? DEFAULT_LIMIT_MS, stated: stated !== null };
}

/** Of each vantage that is judged, where no outage may be; none where every answer came in time. */
export function brownOuts(view: RunView): readonly BrownOut[] {
  if (brownOutLimit(view.scenario) === null) return [];
  return view.scenario.expect.mustRecover.map((vantage) => brownOutOf(view, vantage)).filter((one) => one !== null);
}

/**
 * The longest time without sustained service: all stretches of a minute together, each from its first late operation to the first one of the next sustained window. The lower bound takes
 * from each latency what the client itself stood still meanwhile. (A failed operation is as bad as a late one; that it failed is told elsewhere.)
 */
function brownOutOf(view: RunView, vantage: string): BrownOut | null {
  const sinceMs = view.steadyMs ?? 0;
  const operations = sentSteadily(view, vantage);
  const possible = worstMinute(stretches(operations, view), ({ possibleMs }) => possibleMs);
  if (possible === null) return null;
  const certain = stretches(asAwake(operations, view.scenario.workload), view);
  const unfinished = certain.find(({ over }) => !over);
  return {
    vantage,
    lowerMs: worstMinute(certain, ({ certainMs }) => certainMs)?.ms ?? 0,
    upperMs: possible.ms,
    unfinishedMs: unfinished?.certainMs ?? 0,
    stretches: possible.stretches.length,
    fromMs: possible.stretches[0]?.firstBad.intendedMs ?? sinceMs,
    toMs: possible.stretches.at(-1)?.lastBad.intendedMs ?? sinceMs,
    lines: [...possible.stretches, ...(unfinished === undefined ? [] : [unfinished])].flatMap((one) => [
      one.firstBad.line,
      one.lastBad.line,
    ]),
  };
}

/** For how long, at least, a vantage had been without sustained service when the load ended; null: it sent nothing. */
export function unservedMs(view: RunView, vantage: string): number | null {
  const operations = sentSteadily(view, vantage);
  if (operations.length === 0) return null;
  return stretches(asAwake(operations, view.scenario.workload), view).find(({ over }) => !over)?.certainMs ?? 0;
}

export function sentSteadily({ byVantage, steadyMs }: RunView, vantage: string): readonly Operation[] {
  return (byVantage.get(vantage) ?? []).filter(({ intendedMs }) => intendedMs >= (steadyMs ?? 0));
}

/** The same answers as a client would have had them that never stood still. */
export function asAwake(operations: readonly Operation[], { periodMs }: Workload): readonly Operation[] {
  const away = clientAway(operations, periodMs);
  return operations.map((op) => ({ ...op, completedMs: op.completedMs - away(op.intendedMs, op.completedMs) }));
}

function stretches(operations: readonly Operation[], { steadyMs, loadEndMs, scenario }: RunView): readonly Stretch[] {
  const sinceMs = steadyMs ?? 0;
  return outagesAfter(operations, { lowerMs: sinceMs, upperMs: sinceMs }, scenario.workload).map(({ began, firstBad, lastBad, back }) => ({
    firstBad,
    lastBad,
    certainMs: lastBad.intendedMs - firstBad.intendedMs,
    possibleMs: (back?.operation.intendedMs ?? loadEndMs) - began.lowerMs,
    over: back !== null,
  }));
}

function worstMinute(
  all: readonly Stretch[],
  of: (stretch: Stretch) => number,
): { readonly ms: number; readonly stretches: readonly Stretch[] } | null {
  const minutes = all.map(({ firstBad }) => {
    const untilMs = firstBad.intendedMs + TOGETHER_MS;
    const mine = all.filter((one) => one.firstBad.intendedMs >= firstBad.intendedMs && one.firstBad.intendedMs < untilMs);
    return { ms: mine.reduce((sum, one) => sum + of(one), 0), stretches: mine };
  });
  return minutes.toSorted((a, b) => b.ms - a.ms)[0] ?? null;
}
