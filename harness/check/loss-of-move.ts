import type { Case } from './check.ts';

/** The recovery point of a run in which the service moved once and nothing came from a backup, so that what is lost was lost with that move; else null. */
export function lossOfMoveMs({ scenario, measurement }: Pick<Case, 'scenario' | 'measurement'>): number | null {
  const isRestored = scenario.method.some((step) => step.do === 'restore' || step.do === 'damage');
  return measurement.reigns.changes === 1 && !isRestored ? measurement.writes.recoveryPointMs : null;
}
