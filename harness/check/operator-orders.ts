import { eventsOf, type Lined } from '../measure/view.ts';
import { crashed } from './crashed.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import { lossOfMoveMs } from './loss-of-move.ts';
import type { Finding } from './verdict.ts';

const NAME = 'operator-orders';

/** What the operator ordered ended as the scenario expects: an order that is refused, or that never ends, is not the one that was asked about. */
export const operatorOrders: Check = {
  name: NAME,
  kind: 'target',
  question: 'Did every order of the operator end as expected, and lose no more than it accepted?',
  judge: (of) => {
    const { view, scenario } = of;
    const asked = scenario.method.filter((step) => step.do === 'order');
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the scenario orders nothing')];
    const given = eventsOf(view.events, 'order');
    const ended = asked.map(({ args, exits, atMostMs }, index) => {
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
    return [...ended, ...lossBeyond(of, given)];
  },
};

/** Who accepts the loss of so many seconds accepts no more. The last lost write may have been answered late, by its time limit at most. */
function lossBeyond(of: Case, given: readonly Lined<'order'>[]): readonly Finding[] {
  const lostMs = lossOfMoveMs(of);
  const [one, another] = given.flatMap((order) => (order.exitCode === 0 ? acceptedBy(order) : []));
  if (lostMs === null || one === undefined || another !== undefined || lostMs <= one.ms + of.scenario.workload.timeoutMs) return [];
  const message = `${seconds(lostMs)} of writes were lost, and ${seconds(one.ms)} were accepted (coditect-dr ${one.args.join(' ')})`;
  return [finding(NAME, 'fail', message, [one.lineNumber])];
}

/** `--accept-data-loss=SECONDS`, or `--accept-data-loss SECONDS`; not where any loss is accepted. */
function acceptedBy(order: Lined<'order'>): readonly (Lined<'order'> & { readonly ms: number })[] {
  const [, text] = /--accept-data-loss[= ](\d+(?:\.\d+)?)(?: |$)/.exec(order.args.join(' ')) ?? [];
  return text === undefined ? [] : [{ ...order, ms: Number(text) * 1000 }];
}
