import type { RunEvent } from '../history/event.ts';
import type { Measurement } from '../measure/measurement.ts';
import type { Scenario } from '../scenario/scenario.ts';

export type VerdictOutcome = 'pass' | 'fail' | 'inconclusive';

/** `warn` is shown but does not count; `skipped`: the scenario does not ask for this. */
export type FindingOutcome = VerdictOutcome | 'warn' | 'skipped';

/** What one check says. `evidence` are 1-based lines of events.ndjson. */
export interface Finding {
  readonly check: string;
  readonly outcome: FindingOutcome;
  readonly message: string;
  readonly evidence: readonly number[];
}

/** `reason` is the one sentence to show first. */
export interface Verdict {
  readonly outcome: VerdictOutcome;
  readonly reason: string;
  readonly findings: readonly Finding[];
}

/** Everything a report needs: a pure function of events.ndjson (`judge` in judge.ts). events[i] is line i + 1. */
export interface RunResult {
  readonly runId: string;
  readonly startedWall: string;
  readonly scenario: Scenario;
  readonly scenarioFile: string;
  readonly measurement: Measurement;
  readonly verdict: Verdict;
  readonly events: readonly RunEvent[];
}

/** Fail beats inconclusive beats pass; nothing judged is inconclusive. */
export function worst(outcomes: readonly FindingOutcome[]): VerdictOutcome {
  if (outcomes.includes('fail')) return 'fail';
  if (outcomes.includes('inconclusive') || !outcomes.includes('pass')) return 'inconclusive';
  return 'pass';
}
