import { eventsOf } from '../measure/view.ts';
import { finding, type Check } from './check.ts';

/** A run that broke off, or that was never read back to its end, proves nothing about what it did not reach. */
export const runComplete: Check = {
  name: 'run-complete',
  kind: 'assumption',
  question: 'Did the run go through to its end?',
  judge: ({ view }) => {
    const aborted = eventsOf(view.events, 'run-aborted')[0];
    if (aborted !== undefined)
      return [finding('run-complete', 'inconclusive', `the run was aborted: ${aborted.message}`, [aborted.lineNumber])];
    const ended = eventsOf(view.events, 'run-ended').at(-1);
    if (ended === undefined) return [finding('run-complete', 'inconclusive', 'the record ends before the run did')];
    return [finding('run-complete', 'pass', 'the run went through to its end', [ended.lineNumber])];
  },
};
