import { SCHEDULED_UNDER_WAY } from '../scenario/under-way.ts';
import type { Workload } from '../scenario/scenario.ts';
import { clientAway } from './client-away.ts';
import { mayHaveBeenGood } from './outages.ts';
import type { ServiceSample } from './service.ts';

/**
 * Which operations of a client failed perhaps only because the client itself stood still: their time limit passed meanwhile, or it had more to send afterwards than it can at a time. Had it been awake it would have had
 * less under way, unless nobody answered. Samples in the order of their intended start.
 */
export function ownDoing(samples: readonly ServiceSample[], workload: Workload): (sample: ServiceSample) => boolean {
  const away = clientAway(samples, workload.periodMs);
  const sent = samples.filter(({ reason }) => reason !== 'dropped');
  const ended = sent.map(({ intendedMs, completedMs }) => completedMs - away(intendedMs, completedMs)).toSorted((a, b) => a - b);
  return (sample) => {
    if (sample.reason !== 'dropped') return mayHaveBeenGood(sample, away(sample.intendedMs, sample.completedMs), workload);
    const begun = countUntil(sent, sample.completedMs, ({ intendedMs }) => intendedMs);
    return begun - countUntil(ended, sample.completedMs, (ms) => ms) < SCHEDULED_UNDER_WAY;
  };
}

/** How many of these, which ascend, are not later. */
function countUntil<T>(ascending: readonly T[], untilMs: number, of: (one: T) => number): number {
  const after = ascending.findIndex((one) => of(one) > untilMs);
  return after < 0 ? ascending.length : after;
}
