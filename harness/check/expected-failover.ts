import { eventsOf } from '../measure/view.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'expected-failover';
/** Orders that move the service when they succeed. */
const MOVES = ['failover', 'switchover', 'failback'];

/** How often the serving region changed, as clients saw it; a failover that was not asked for costs more than it saves. */
export const expectedFailover: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did the service move to another region as often as the scenario expects?',
  judge: (of) => {
    const { reigns, changes } = of.measurement.reigns;
    const way = reigns.map((reign) => reign.region).join(' → ');
    const lines = reigns.map((reign) => reign.line);
    if (reigns.length === 0) return [finding(NAME, 'inconclusive', 'no region acknowledged anything')];
    const say = (passed: boolean, expected: string): Finding =>
      finding(NAME, passed ? 'pass' : 'fail', `${changes} change(s) of the serving region (${way}); expected ${expected}`, lines);
    switch (of.scenario.expect.failover) {
      case 'allowed':
        return [finding(NAME, 'pass', `${changes} change(s): ${way}; any number is allowed`, lines)];
      case 'none':
        return [say(changes === 0, '0')];
      case 'one':
        return [say(changes === 1, '1')];
      case 'at-most-one':
        return [say(changes <= 1, 'at most 1')];
      case 'ordered': {
        const orders = moves(of);
        const early = reigns.slice(1).findIndex((reign, index) => reign.firstAckMs < (orders[index]?.givenMs ?? Number.POSITIVE_INFINITY));
        const reign = reigns[early + 1];
        if (early < 0 || reign === undefined) return [say(changes === orders.length, `${orders.length}, as often as ordered`)];
        const message = `${reign.region} served from ${seconds(reign.firstAckMs)} on, before anybody had ordered it (${way})`;
        return [finding(NAME, 'fail', message, [reign.line])];
      }
    }
  },
};

function moves({ view }: Case) {
  return eventsOf(view.events, 'order').filter((order) => order.exitCode === 0 && MOVES.includes(order.args[0] ?? ''));
}
