import { eventsOf } from '../measure/view.ts';
import { crashed } from './crashed.ts';
import { finding, seconds, type Check } from './check.ts';

const NAME = 'operator-orders';

/** What the operator ordered ended as the scenario expects: an order that is refused, or that never ends, is not the one that was asked about. */
export const operatorOrders: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did every order of the operator end as expected?',
  judge: ({ view, scenario }) => {
    const asked = scenario.method.filter((step) => step.do === 'order');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the scenario orders nothing')];
    const given = eventsOf(view.events, 'order');
    return asked.map(({ args, exits, atMostMs }, index) => {
      const order = given[index];
      const what = `coditect-dr ${args.join(' ')}`;
      if (order === undefined || order.args.join(' ') !== args.join(' ')) return finding(NAME, 'inconclusive', `${what} was never ordered`);
      const lines = [order.lineNumber];
      if (order.exitCode === null) return finding(NAME, 'fail', `${what} did not end within ${seconds(atMostMs)}`, lines);
      const told = `${what} ended with ${order.exitCode} after ${seconds(order.endedMs - order.givenMs)}`;
      if (order.exitCode !== exits)
        return finding(NAME, 'fail', `${told}; expected ${exits} (what it said is in pods/operator.log)`, lines);
      const said = order.said?.trim() ?? '';
      if (exits !== 0 && (said === '' || crashed(said)))
        return finding(NAME, 'inconclusive', `${told}, as expected, but without a reason of its own: a crash ends so too`, lines);
      return finding(NAME, 'pass', told, lines);
    });
  },
};
