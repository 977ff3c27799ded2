import type { Clock } from '../platform/clock.ts';
import { followPlan, type PlanFollowed, type PlanWork } from './follow-plan.ts';
import { planRegionChange, type RegionChange, type RegionPlan, type RegionStep } from './region-plan.ts';

/** A cluster controller that was elected just now knows the servers that have told it of themselves, and a region that was cut off comes back. */
const SURELY_LOST_MS = 30_000;

export interface RegionWork extends Omit<PlanWork<RegionStep>, 'plan'> {
  readonly change: RegionChange;
}

/** Follows the plan of a change until it is done. What is for a lost region only is done when that one has been lost for so long without a break. */
export async function changeRegion({ change, ...work }: RegionWork, signal: AbortSignal): Promise<PlanFollowed> {
  const surely = onlyWhereSurelyLost(change.dataCenter, work.clock);
  return await followPlan({ ...work, plan: (status) => surely(planRegionChange(status, change)) }, signal);
}

function onlyWhereSurelyLost(dataCenter: string, clock: Clock): (plan: RegionPlan) => RegionPlan {
  let lostSinceMs: number | null = null;
  return (plan) => {
    lostSinceMs = isOfLost(plan) ? (lostSinceMs ?? clock.monotonicMs()) : null;
    if (lostSinceMs === null || clock.monotonicMs() - lostSinceMs >= SURELY_LOST_MS) return plan;
    return { kind: 'wait', why: `until ${dataCenter} has been lost without a break for ${SURELY_LOST_MS / 1000} s` };
  };
}

function isOfLost(plan: RegionPlan): boolean {
  return plan.kind === 'do' ? plan.step.unchecked : plan.isLost === true;
}
