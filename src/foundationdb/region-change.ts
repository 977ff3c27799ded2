import type { Clock } from '../platform/clock.ts';
import type { FdbcliResult } from './fdbcli.ts';
import { planRegionChange, type RegionChange, type RegionPlan, type RegionStep } from './region-plan.ts';
import type { ClusterStatus } from './status-json.ts';

const LOOK_EVERY_MS = 1000;
/** A cluster controller that was elected just now knows the servers that have told it of themselves, and a region that was cut off comes back. */
const SURELY_LOST_MS = 30_000;
/** The one refusal that time mends: a region is whole for its distributor a little before it is for whoever checks a change. */
const NOT_YET = /must be fully replicated/i;

export interface RegionWork {
  readonly change: RegionChange;
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly status: (signal: AbortSignal) => Promise<ClusterStatus | null>;
  /** Done means that fdbcli said so; it is believed when the status says it. */
  readonly act: (step: RegionStep, signal: AbortSignal) => Promise<FdbcliResult>;
  /** Told of each thing that is waited for, once. */
  readonly onWait: (why: string) => void;
}

export type RegionChanged =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: string }
  /** The time is over; what FoundationDB does by itself goes on. */
  | { readonly kind: 'undecided'; readonly why: string };

/** Looks, does the next step, looks again, until the status says that it is done. Never rejects but with the signal's reason. */
export async function changeRegion(
  { change, clock, patienceMs, status, act, onWait }: RegionWork,
  signal: AbortSignal,
): Promise<RegionChanged> {
  let waiting = '';
  const waitFor = (why: string): void => {
    if (why !== waiting) onWait(why);
    waiting = why;
  };
  let lostSinceMs: number | null = null;
  for (const endMs = clock.monotonicMs() + patienceMs; clock.monotonicMs() < endMs;) {
    const plan = planRegionChange(await status(signal), change);
    signal.throwIfAborted();
    lostSinceMs = isOfLost(plan) ? (lostSinceMs ?? clock.monotonicMs()) : null;
    if (lostSinceMs !== null && clock.monotonicMs() - lostSinceMs < SURELY_LOST_MS)
      waitFor(`until ${change.dataCenter} has been lost without a break for ${SURELY_LOST_MS / 1000} s`);
    else if (plan.kind === 'done') return plan;
    else if (plan.kind === 'refused') return { kind: 'refused', why: plan.why };
    else if (plan.kind === 'wait') waitFor(plan.why);
    else {
      const result = await act(plan.step, signal);
      if (result.kind === 'refused' && !NOT_YET.test(result.said)) return { kind: 'refused', why: result.said };
      if (result.kind !== 'done') waitFor(result.said);
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return { kind: 'undecided', why: waiting };
}

function isOfLost(plan: RegionPlan): boolean {
  return plan.kind === 'do' ? plan.step.unchecked : plan.kind === 'refused' && plan.isLost === true;
}
