import type { Scenario, Step } from './scenario.ts';

/** Until the system is there, serves every client, and is steady. */
const BEGINNING_MS = 150_000;
/** Injecting or healing, and looking at it before and after: counting what is lost takes longest. */
const FAULT_MS = 100_000;

/** How long after its start a run may still look at one of its faults, at most: of the steps that break and measure. Pure. */
export function longestMs({ steadyMs, method }: Pick<Scenario, 'steadyMs' | 'method'>): number {
  return method.reduce((sumMs, step) => sumMs + longestOf(step), BEGINNING_MS + steadyMs);
}

function longestOf(step: Step): number {
  if (step.do === 'observe') return step.forMs;
  if (step.do === 'inject') return 2 * FAULT_MS;
  return 'atMostMs' in step ? step.atMostMs : 0;
}
