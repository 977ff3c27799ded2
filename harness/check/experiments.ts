import type { Scenario, Step } from '../scenario/scenario.ts';

export type FaultStep = Extract<Step, { readonly do: 'inject' | 'arm' }>;

/** Every step of the method that asks for a fault, now or at a line of the engine's log: an armed one that never fires was asked for too. */
export function faultSteps({ method }: Scenario): readonly FaultStep[] {
  return method.filter((step) => step.do === 'inject' || step.do === 'arm');
}

/** Why a step's fault is not in the record at all. */
export function neverPlanned(step: FaultStep): string {
  return step.do === 'inject'
    ? `${step.fault} was never planned`
    : `${step.fault} was never planned: no program that it selects logged ${step.at}`;
}

/** Whether a fault of the record belongs to a step: a manifest of several experiments gives `<step>:<kind>/<name>` for each. */
export function isOfStep(fault: string, step: string): boolean {
  return fault === step || fault.startsWith(`${step}:`);
}
