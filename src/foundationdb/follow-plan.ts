import type { Clock } from '../platform/clock.ts';
import type { FdbcliResult } from './fdbcli.ts';
import type { ClusterStatus } from './status-json.ts';

const LOOK_EVERY_MS = 1000;
/** The one refusal that time mends: a region is whole for its distributor a little before it is for whoever checks a change. */
const NOT_YET = /must be fully replicated/i;

/** What is to be done next, by what the status says now. */
export type Plan<Step> =
  | { readonly kind: 'done' }
  | { readonly kind: 'do'; readonly step: Step }
  /** What FoundationDB has to come to by itself. */
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

/** `Seen`: what a look finds. */
export interface PlanWork<Step, Seen = ClusterStatus | null> {
  readonly plan: (seen: Seen) => Plan<Step>;
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly status: (signal: AbortSignal) => Promise<Seen>;
  /** Done means that fdbcli said so; it is believed when the status says it. */
  readonly act: (step: Step, signal: AbortSignal) => Promise<FdbcliResult>;
  /** Told of each thing that is waited for, once. */
  readonly onWait: (why: string) => void;
}

export type PlanFollowed =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: string }
  /** The time is over; what FoundationDB does by itself goes on. */
  | { readonly kind: 'undecided'; readonly why: string };

/** Looks, does the next step, looks again, until the status says that it is done. Never rejects but with the signal's reason. */
export async function followPlan<Step, Seen>(
  { plan, clock, patienceMs, status, act, onWait }: PlanWork<Step, Seen>,
  signal: AbortSignal,
): Promise<PlanFollowed> {
  let waiting = '';
  const waitFor = (why: string): void => {
    if (why !== waiting) onWait(why);
    waiting = why;
  };
  for (const endMs = clock.monotonicMs() + patienceMs; clock.monotonicMs() < endMs;) {
    const next = plan(await status(signal));
    signal.throwIfAborted();
    if (next.kind === 'done') return next;
    if (next.kind === 'refused') return { kind: 'refused', why: next.why };
    if (next.kind === 'wait') waitFor(next.why);
    else {
      const result = await act(next.step, signal);
      if (result.kind === 'refused' && !NOT_YET.test(result.said)) return { kind: 'refused', why: result.said };
      if (result.kind === 'done') waiting = '';
      else waitFor(result.said);
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return { kind: 'undecided', why: waiting === '' ? 'its status did not show yet what was changed last' : waiting };
}
