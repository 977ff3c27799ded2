import { UNKNOWN } from '../platform/revision.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import type { KeptRuns } from './kept-runs.ts';
import type { RunOptions } from './run-program.ts';

interface Day<Run> {
  /** What the bench calls it. */
  readonly name: string;
  readonly revision: string;
  /** Names of the scenarios that it is to tell of. */
  readonly scenarios: readonly string[];
  readonly play: (options: RunOptions) => Promise<readonly ResultDocument[]>;
  readonly runOf: (result: ResultDocument) => Run;
}

/**
 * Plays game days and keeps every run of them; one that broke off is told by `brokenOff` from then on. Where somebody ends the bench meanwhile, what they had shown by then stands: each run that came to its end, and any that
 * failed. Throws then, and where there is nothing to keep.
 */
export async function playKept<Run>(kept: KeptRuns<Run>, day: Day<Run>, signal: AbortSignal): Promise<void> {
  kept.begin({ begun: day.name, wall: new Date().toISOString(), revision: day.revision });
  try {
    const results = await day.play({ signal, evenIfAborted: true });
    for (const result of results) if (!signal.aborted || stands(result)) kept.keep(day.runOf(result));
    const told = new Set(results.map(({ scenario }) => scenario.name));
    if (signal.aborted || day.scenarios.every((name) => told.has(name))) kept.end();
  } catch (error) {
    if (signal.aborted) kept.end();
    throw error;
  }
  signal.throwIfAborted();
}

/** Of a bench that somebody has ended. */
function stands({ verdict, findings }: ResultDocument): boolean {
  return verdict.outcome === 'fail' || findings.some(({ check, outcome }) => check === 'run-complete' && outcome === 'pass');
}

/** As the run has it: another commit may have come here while it was played. */
export const revisionOf = ({ environment }: ResultDocument): string => environment.versions['revision'] ?? UNKNOWN;
