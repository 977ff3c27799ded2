import type { ResultDocument } from '../report/result-shape.ts';

/** Runs of the null scenario: nothing is broken, so nothing may fail. */
export interface NullRuns {
  readonly asked: number;
  readonly runs: readonly NullRun[];
}

interface NullRun {
  readonly runId: string;
  readonly outcome: ResultDocument['verdict']['outcome'];
  readonly reason: string;
  readonly operations: number;
  readonly late: number;
  /** Longest time without an acknowledged write; null: not measured. */
  readonly writePauseMs: number | null;
}

export function nullRuns(asked: number, results: readonly ResultDocument[]): NullRuns {
  const sum = (result: ResultDocument, of: 'operations' | 'slow'): number => result.vantages.reduce((total, one) => total + one[of], 0);
  const runs = results.map((result) => ({
    runId: result.runId,
    outcome: result.verdict.outcome,
    reason: result.verdict.reason,
    operations: sum(result, 'operations'),
    late: sum(result, 'slow'),
    writePauseMs: result.writePause?.pauseMs ?? null,
  }));
  return { asked, runs };
}

/** The claim: so many of so many did not fail. Undecided where some were, or fewer ran than were asked for. */
export function nullVerdict({ asked, runs }: NullRuns): ResultDocument['verdict']['outcome'] {
  if (runs.some(({ outcome }) => outcome === 'fail')) return 'fail';
  return runs.length >= asked && runs.every(({ outcome }) => outcome === 'pass') ? 'pass' : 'inconclusive';
}

export function nullTable({ asked, runs }: NullRuns): string {
  const count = (outcome: string): number => runs.filter((one) => one.outcome === outcome).length;
  const otherwise = runs.filter(({ outcome }) => outcome !== 'pass');
  const total = (of: 'operations' | 'late'): number => runs.reduce((sum, one) => sum + one[of], 0);
  return [
    `${runs.length - count('fail')} of ${runs.length} not failed: ${count('pass')} passed, ${count('inconclusive')} undecided, ${count('fail')} failed.`,
    ...(runs.length < asked ? [`Only ${runs.length} of the ${asked} that were asked for ran.`] : []),
    ...(runs.length === 0 ? [] : [`${total('operations')} operations, ${total('late')} of them late; ${longestPause(runs)}.`]),
    ...otherwise.map(({ runId, outcome, reason }) => `- ${runId}: ${outcome}: ${reason}`),
  ].join('\n');
}

/** A pause that was not measured is not one of 0 ms. */
function longestPause(runs: readonly NullRun[]): string {
  const pauses = runs.map(({ writePauseMs }) => writePauseMs).filter((ms) => ms !== null);
  if (pauses.length === 0) return 'pauses of writes were not measured';
  const unmeasured = runs.length - pauses.length;
  return `longest pause of writes ${Math.round(Math.max(...pauses))} ms${unmeasured === 0 ? '' : ` (not measured in ${unmeasured})`}`;
}
