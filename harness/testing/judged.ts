import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { failoverHistory, SCENARIO, type Asked, type Handmade } from './handmade.ts';
import { judge } from '../check/judge.ts';
import type { FindingOutcome, RunResult } from '../check/verdict.ts';

/** What tests of checks say of handmade histories. */

/** The first finding of a check that is not a pass, or its first. */
export function outcomeOf(result: RunResult, check: string): FindingOutcome {
  const mine = result.verdict.findings.filter((one) => one.check === check);
  return (mine.find((one) => one.outcome !== 'pass') ?? mine[0])?.outcome ?? 'skipped';
}

export const judged = (change: Partial<Handmade> = {}): RunResult => judge(failoverHistory(change), CHECKS);
export const withScenario = (change: Partial<Scenario>): Scenario => ({ ...SCENARIO, ...change });
export const without = (kind: RunEvent['kind']) => (events: readonly RunEvent[]) => events.filter((event) => event.kind !== kind);
export const isPut = (op: Asked, fromMs: number, toMs: number): boolean =>
  op.op === 'put' && !op.key.startsWith('reg/') && op.intendedMs >= fromMs && op.intendedMs < toMs;

/** Checks that do not pass it. */
export function objections(result: RunResult): readonly string[] {
  return result.verdict.findings.filter((one) => one.outcome === 'fail' || one.outcome === 'inconclusive').map((one) => one.check);
}

export type Edit = (events: readonly RunEvent[]) => readonly RunEvent[];

/** The same history, with each event of a kind changed, or left out (null); `index` counts those of the kind. */
export const editOf =
  <K extends RunEvent['kind']>(kind: K, change: (event: Extract<RunEvent, { kind: K }>, index: number) => RunEvent | null): Edit =>
  (events) => {
    let index = 0;
    return events.flatMap((event) => (event.kind === kind ? (change(event as Extract<RunEvent, { kind: K }>, index++) ?? []) : [event]));
  };

/** In the order of the clock, as a record is. */
export const sorted = (events: readonly RunEvent[]): readonly RunEvent[] => events.toSorted((a, b) => a.atMs - b.atMs);

/** A history that passes, edited so that it must not. */
export const spoilt = (edit: Edit, change: Partial<Handmade> = {}): RunResult => judged({ ...change, edit });

/** What a check says against a history; expects that it is inconclusive, and by this check. */
export function objected(result: RunResult, check: string): string {
  expect(result.verdict.outcome, result.verdict.reason).to.equal('inconclusive');
  const found = result.verdict.findings.filter((one) => one.check === check && one.outcome === 'inconclusive');
  expect(found, result.verdict.reason).to.have.length.above(0);
  return found[0]?.message ?? '';
}
