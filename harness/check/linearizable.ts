import { linearize } from '../measure/linearizability.ts';
import { registerHistories } from '../measure/register-history.ts';
import { finding, type Check } from './check.ts';

const NAME = 'linearizable';
/** Orders tried for one register before the check says that it does not know; a whole run needs some thousands. */
const BUDGET = 200_000;

/** In sync mode all clients together must have seen one register a key, through every failover: each operation at one instant within its time. */
export const linearizable = linearizableWithin(BUDGET);

/** The same with another limit, for its test. */
export function linearizableWithin(budget: number): Check {
  return {
    name: NAME,
    kind: 'safety',
    question: 'Is there one order of all reads and writes of each register that explains what every client saw, failovers included?',
    judge: ({ view, scenario }) => {
      if (scenario.replication !== 'sync')
        return [finding(NAME, 'skipped', 'asynchronous replication does not promise it across a failover')];
      if (scenario.expect.loss === 'allowed') return [finding(NAME, 'skipped', 'the scenario allows a loss, which is a step back in time')];
      const histories = registerHistories(view);
      const results = histories.map(({ key, operations }) => ({ key, operations, result: linearize(operations, budget) }));
      const findings = results.flatMap(({ key, operations, result }) => {
        if (result.state === 'linearizable') return [];
        if (result.state === 'undecided')
          return [finding(NAME, 'inconclusive', `${key}: more than ${budget} steps for ${operations.length} operations; not decided`)];
        const { op, value, line } = result.stuck;
        const holder = operations.find((one) => one.op === 'write' && one.value === result.value);
        const message = `${key}: in no order of its ${operations.length} operations does the ${op} of ${value ?? 'nothing'} fit; at the furthest it held ${result.value ?? 'nothing'}`;
        return [finding(NAME, 'fail', message, [line, ...(holder === undefined ? [] : [holder.line])])];
      });
      if (findings.length > 0) return findings;
      const count = histories.reduce((sum, { operations }) => sum + operations.length, 0);
      if (count === 0) return [finding(NAME, 'inconclusive', 'no register was read or written')];
      return [finding(NAME, 'pass', `${count} operations on ${histories.length} registers have an order`)];
    },
  };
}
