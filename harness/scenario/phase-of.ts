import type { Phase } from '../history/event.ts';
import type { Step } from './scenario.ts';

/** The phase that a step begins when its turn comes; null: it only makes ready for what may come later. */
export function phaseOf(step: Step): Phase | null {
  if (step.do === 'arm') return null;
  return step.do === 'inject' || step.do === 'heal' ? step.do : 'observe';
}
