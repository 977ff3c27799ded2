import { phasesSinceSteady } from '../measure/view.ts';
import { phaseOf } from '../scenario/phase-of.ts';
import type { Step } from '../scenario/scenario.ts';
import { finding, TIMER_EARLY_MS, type Check } from './check.ts';

const NAME = 'method-followed';
/** What every day ends with. */
const ENDING = ['heal', 'settle', 'readback', 'teardown'] as const;

/** Nothing can go wrong in a time that was never waited for: the day took every step of its method, and each observation lasted as long as asked. */
export const methodFollowed: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Did the run take every step of the method, and observe for as long as it asks?',
  judge: ({ view, scenario }) => {
    const begun = phasesSinceSteady(view);
    const steps = scenario.method.flatMap((step) => {
      const phase = phaseOf(step);
      return phase === null ? [] : [{ step, phase }];
    });
    const asked = [...steps.map(({ phase }) => phase), ...ENDING];
    const told = begun.map(({ phase }) => phase);
    const lines = begun.map(({ lineNumber }) => lineNumber);
    if (asked.join() !== told.join())
      return [finding(NAME, 'inconclusive', `the method asks for ${asked.join(', ')}; the run went through ${told.join(', ')}`, lines)];
    const short = steps.flatMap(({ step }, index) => cutShort(step, (begun[index + 1]?.atMs ?? 0) - (begun[index]?.atMs ?? 0)));
    if (short.length > 0) return short.map((problem) => finding(NAME, 'inconclusive', problem, lines));
    return [finding(NAME, 'pass', `all ${scenario.method.length} steps of the method, in its order`, lines)];
  },
};

function cutShort(step: Step, tookMs: number): readonly string[] {
  if (step.do !== 'observe' || tookMs >= step.forMs - TIMER_EARLY_MS) return [];
  return [`observed for ${Math.round(tookMs)} ms, not for ${step.forMs}`];
}
