import type { Fault } from './fault.ts';

/** These act once; a duration does not apply to them. */
const ONE_SHOT = ['pod-kill', 'container-kill'];

/** How long the experiments of one manifest last; null: until healed. They are healed together, so sameDuration must hold. */
export function durationOf(experiments: readonly Fault[]): number | null {
  return experiments.find((one) => one.durationMs !== null)?.durationMs ?? null;
}

/** Whether all experiments that last, last as long. */
export function sameDuration(experiments: readonly Fault[]): boolean {
  return new Set(experiments.flatMap((one) => (ONE_SHOT.includes(one.action) ? [] : [one.durationMs]))).size < 2;
}
