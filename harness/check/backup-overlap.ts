import { eventsOf } from '../measure/view.ts';
import { isOfStep } from './experiments.ts';
import { finding, seconds, type Check } from './check.ts';

const NAME = 'backup-overlap';

/** Where a backup is to be made *through* a fault, the fault began while it ran: else it was a backup of quiet times. */
export const backupOverlap: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Did the fault begin while the backup ran that was to go through it?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.flatMap((step) =>
      step.do === 'backup' && step.during !== null ? [{ name: step.name, during: step.during }] : [],
    );
    if (asked.length === 0) return [finding(NAME, 'skipped', 'no backup is to go through a fault')];
    const orders = eventsOf(view.events, 'backup-order');
    return asked.map(({ name, during }) => {
      const order = orders.find((one) => one.name === name);
      const effect = view.faults.find(({ fault }) => isOfStep(fault, during))?.t1Ms ?? null;
      if (order === undefined || effect === null)
        return finding(NAME, 'inconclusive', `${name ?? 'a backup'} and ${during} did not both happen`);
      const ran = `${name} ran from ${seconds(order.givenMs)} to ${seconds(order.endedMs)}`;
      const told = `${ran}, ${during} took effect at ${seconds(effect.lowerMs)} to ${seconds(effect.upperMs)}`;
      const within = order.givenMs <= effect.lowerMs && effect.upperMs <= order.endedMs;
      return finding(NAME, within ? 'pass' : 'inconclusive', within ? told : `${told}: not through it`, [order.lineNumber]);
    });
  },
};
