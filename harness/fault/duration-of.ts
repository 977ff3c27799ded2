import type { Fault } from './fault.ts';

/** How long the experiments of one manifest last; null: until healed. They are healed together, so sameDuration must hold. */
export function durationOf(experiments: readonly Fault[]): number | null {
  return durations(experiments).find((durationMs) => durationMs !== null) ?? null;
}

/** Whether all experiments that last, last as long. */
export function sameDuration(experiments: readonly Fault[]): boolean {
  return new Set(durations(experiments)).size < 2;
}

function durations(experiments: readonly Fault[]): readonly (number | null)[] {
  return experiments.filter((one) => !one.oneShot).map((one) => one.durationMs);
}
