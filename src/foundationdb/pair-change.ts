import type { Clock } from '../platform/clock.ts';
import { followPlan, type PlanFollowed, type PlanWork } from './follow-plan.ts';
import { planPairChange, type PairChange, type PairHeld, type PairPlan, type PairStep } from './pair-plan.ts';
import type { PairSeen } from './pair-side.ts';

/** A fdbdr that is still at it goes on within a second or so while both clusters serve. */
const NOBODY_SWITCHES_MS = 60_000;

export interface PairWork extends Omit<PlanWork<PairStep, PairSeen>, 'plan'> {
  readonly change: PairChange;
  /** For how long the other cluster must have been out before the copy goes on alone. */
  readonly outageMs: number;
}

/** `acted`: something was changed by this order. */
export type PairChanged = PlanFollowed & { readonly acted: boolean };

/** Follows the plan of a change until both clusters say that it is done. Never rejects but with the signal's reason. */
export async function changePair({ change, outageMs, patienceMs, act, ...work }: PairWork, signal: AbortSignal): Promise<PairChanged> {
  const onceHeld = onlyOnceHeld(outageMs, work.clock);
  let acted = false;
  const followed = await followPlan(
    {
      ...work,
      patienceMs: patienceMs + outageMs,
      plan: (seen) => onceHeld(planPairChange(change, seen)),
      act: async (step, stopped) => {
        const result = await act(step, stopped);
        acted ||= result.kind === 'done';
        return result;
      },
    },
    signal,
  );
  return { ...followed, acted };
}

function onlyOnceHeld(outageMs: number, clock: Clock): (plan: PairPlan) => PairPlan {
  const heldMs: Readonly<Record<PairHeld, number>> = { outage: outageMs, 'nobody-switches': NOBODY_SWITCHES_MS };
  let since: { readonly held: PairHeld | null; readonly ms: number } = { held: null, ms: 0 };
  return (plan) => {
    const held = plan.once ?? null;
    if (held !== since.held) since = { held, ms: clock.monotonicMs() };
    if (held === null || clock.monotonicMs() - since.ms >= heldMs[held]) return plan;
    return { kind: 'wait', why: HELD[held](heldMs[held] / 1000) };
  };
}

const HELD: Readonly<Record<PairHeld, (seconds: number) => string>> = {
  outage: (seconds) => `until the other cluster has been out for ${seconds} s without a break`,
  'nobody-switches': (seconds) => `until what a switch has left has stood still for ${seconds} s`,
};
