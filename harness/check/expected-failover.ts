import { eventsOf } from '../measure/view.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'expected-failover';
/** Orders that move the service when they succeed. */
const MOVES = ['failover', 'switchover', 'failback', 'approve'];

/** How often, and where to, the serving region changed, as clients saw it; a failover that was not asked for costs more than it saves. */
export const expectedFailover: Check = {
  name: NAME,
  kind: 'target',
  needsEngine: true,
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
        const wrong = unordered(of);
        if (wrong !== undefined) return [wrong];
        const expected = moves(of).length;
        return [say(changes === expected, `${expected}, as often as ordered`)];
      }
    }
  },
};

/** The first move that nobody had ordered by then, or that went elsewhere than ordered. */
function unordered(of: Case): Finding | undefined {
  const { reigns } = of.measurement.reigns;
  const way = reigns.map((reign) => reign.region).join(' → ');
  const orders = moves(of);
  for (const [index, reign] of reigns.slice(1).entries()) {
    const order = orders[index];
    const told = `${reign.region} served from ${seconds(reign.firstAckMs)} on`;
    if (order === undefined || reign.firstAckMs < order.givenMs)
      return finding(NAME, 'fail', `${told}, before anybody had ordered it (${way})`, [reign.line]);
    // Who approves leaves it to the engine whom to promote.
    if (order.args[0] === 'approve') continue;
    // A lab begins in its configured primary region, and that is where a failback leads.
    const ordered = order.args[0] === 'failback' ? reigns[0]?.region : targetOf(order.args);
    if (reign.region !== ordered)
      return finding(NAME, 'fail', `${told}, but ${ordered ?? 'no region'} was ordered (${way})`, [order.lineNumber, reign.line]);
  }
  return undefined;
}

/** `--target=REGION`, or `--target REGION`. */
function targetOf(args: readonly string[]): string | undefined {
  const index = args.findIndex((word) => word === '--target' || word.startsWith('--target='));
  return args[index] === '--target' ? args[index + 1] : args[index]?.slice('--target='.length);
}

/** The orders that moved the service; a rehearsal moves nothing, and a move that follows it was ordered by nobody. */
function moves({ view }: Case) {
  const succeeded = eventsOf(view.events, 'order').filter((order) => order.exitCode === 0 && !order.args.includes('--dry-run'));
  return succeeded.filter((order) => MOVES.includes(order.args[0] ?? ''));
}
