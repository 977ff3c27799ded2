import type { Clock } from '../platform/clock.ts';
import type { FdbcliResult } from './fdbcli.ts';
import { planPairChange, type PairChange, type PairHeld, type PairPlan, type PairStep } from './pair-plan.ts';
import type { PairSeen } from './pair-side.ts';

const LOOK_EVERY_MS = 1000;
/** A fdbdr that is still at it goes on within a second or so while both clusters serve. */
const NOBODY_SWITCHES_MS = 60_000;

export interface PairWork {
  readonly change: PairChange;
  readonly clock: Clock;
  readonly patienceMs: number;
  /** For how long the other cluster must have been out before the copy goes on alone. */
  readonly outageMs: number;
  readonly look: (signal: AbortSignal) => Promise<PairSeen>;
  /** Done means that FoundationDB's program said so; it is believed when both clusters say it. */
  readonly act: (step: PairStep, signal: AbortSignal) => Promise<FdbcliResult>;
  /** Told of each thing that is waited for, once. */
  readonly onWait: (why: string) => void;
}

export type PairChanged =
  | { readonly kind: 'done' | 'refused'; readonly why: string; readonly acted: boolean }
  /** The time is over; what fdbdr does by itself goes on. */
  | { readonly kind: 'undecided'; readonly why: string; readonly acted: boolean };

/** Looks, does the next step, looks again, until both clusters say that it is done. Never rejects but with the signal's reason. */
export async function changePair(
  { change, clock, patienceMs, outageMs, look, act, onWait }: PairWork,
  signal: AbortSignal,
): Promise<PairChanged> {
  let waiting = '';
  let acted = false;
  const waitFor = (why: string): void => {
    if (why !== waiting) onWait(why);
    waiting = why;
  };
  const heldMs: Readonly<Record<PairHeld, number>> = { outage: outageMs, 'nobody-switches': NOBODY_SWITCHES_MS };
  let since: { readonly held: PairHeld | null; readonly ms: number } = { held: null, ms: 0 };
  for (const endMs = clock.monotonicMs() + patienceMs + outageMs; clock.monotonicMs() < endMs;) {
    const beganMs = clock.monotonicMs();
    const plan = planPairChange(change, await look(signal));
    signal.throwIfAborted();
    const held = heldOf(plan);
    // A look may take its time, and is of any moment within it.
    if (held !== since.held) since = { held, ms: clock.monotonicMs() };
    if (held !== null && beganMs - since.ms < heldMs[held]) waitFor(HELD[held](heldMs[held] / 1000));
    else if (plan.kind === 'done' || plan.kind === 'refused') return { ...plan, acted };
    else if (plan.kind === 'wait') waitFor(plan.why);
    else {
      const result = await act(plan.step, signal);
      if (result.kind === 'refused') return { kind: 'refused', why: result.said, acted };
      acted ||= result.kind === 'done';
      if (result.kind !== 'done') waitFor(result.said);
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return { kind: 'undecided', why: waiting, acted };
}

const heldOf = (plan: PairPlan): PairHeld | null => (plan.kind === 'do' ? (plan.once ?? null) : null);

const HELD: Readonly<Record<PairHeld, (seconds: number) => string>> = {
  outage: (seconds) => `until the other cluster has been out for ${seconds} s without a break`,
  'nobody-switches': (seconds) => `until what a switch has left has stood still for ${seconds} s`,
};
