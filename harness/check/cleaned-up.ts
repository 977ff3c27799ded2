import { eventsOf } from '../measure/view.ts';
import { finding, type Check } from './check.ts';

/** A game day leaves the machine as it found it. */
export const cleanedUp: Check = {
  name: 'cleaned-up',
  kind: 'safety',
  question: 'Was everything cleaned up?',
  judge: ({ view }) => {
    const ended = eventsOf(view.events, 'run-ended').at(-1);
    if (ended === undefined) return [finding('cleaned-up', 'inconclusive', 'the record ends before the clean-up')];
    if (ended.leftovers.length === 0) return [finding('cleaned-up', 'pass', 'nothing is left', [ended.lineNumber])];
    return [finding('cleaned-up', 'fail', `left behind: ${ended.leftovers.join('; ')}`, [ended.lineNumber])];
  },
};
