import type { Measurement } from '../measure/measurement.ts';
import type { RunView } from '../measure/view.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Contradiction } from './effects.ts';
import type { Finding, FindingOutcome } from './verdict.ts';

/** What a check may look at: what the run recorded, and what that amounts to. */
export interface Case {
  readonly view: RunView;
  readonly scenario: Scenario;
  readonly measurement: Measurement;
  /** Effects that the record tells otherwise than its own evidence; `view` and `measurement` go by the evidence. */
  readonly contradictions: readonly Contradiction[];
}

/**
 * One question about a run. Pure; a check that throws makes the run inconclusive.
 * - `assumption`: what must hold for a target to be judged at all (was there traffic, did the fault bite). Not met: inconclusive.
 * - `safety`: never given up, whatever the assumptions: corruption, split brain, lost writes.
 * - `target`: only judged when every assumption holds.
 */
export interface Check {
  readonly name: string;
  readonly kind: 'assumption' | 'safety' | 'target';
  readonly question: string;
  /** What it looks at is told by the engine's contract only: skipped where a service has an API of its own. */
  readonly needsEngine?: true;
  judge(of: Case): readonly Finding[];
}

/** A finding of this check. */
export function finding(check: string, outcome: FindingOutcome, message: string, evidence: readonly number[] = []): Finding {
  return { check, outcome, message, evidence: [...new Set(evidence)].toSorted((a, b) => a - b) };
}

/** Evidence lines shown for one finding; the message says how many there are. */
export const EVIDENCE_SHOWN = 20;

/** By so much a time that was waited for may fall short: a timer may wake a little early by another clock. */
export const TIMER_EARLY_MS = 5;

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
