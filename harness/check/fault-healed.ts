import { eventsOf } from '../measure/view.ts';
import { finding, type Check } from './check.ts';

/** What the fault did must be seen to be gone, or everything measured afterwards is measured in a broken lab. */
export const faultHealed: Check = {
  name: 'fault-healed',
  kind: 'assumption',
  question: 'Was every fault healed, as independent probes saw it?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'inject');
    if (asked.length === 0) return [finding('fault-healed', 'skipped', 'the scenario injects no fault')];
    return asked.map(({ fault }) => {
      const healed = eventsOf(view.events, 'fault-healed').find((event) => event.fault === fault);
      const after = eventsOf(view.events, 'fault-effect').findLast((event) => event.fault === fault && event.moment === 'after-heal');
      if (healed === undefined) return finding('fault-healed', 'inconclusive', `${fault} was never healed`);
      if (after === undefined)
        return finding('fault-healed', 'inconclusive', `${fault}: nobody looked whether it was gone`, [healed.lineNumber]);
      const outcome = after.confirmed ? 'pass' : 'inconclusive';
      return finding('fault-healed', outcome, `${fault}: asked ${after.asked}, measured ${after.measured}`, [
        healed.lineNumber,
        after.lineNumber,
      ]);
    });
  },
};
