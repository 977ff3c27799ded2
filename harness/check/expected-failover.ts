import { finding, type Check } from './check.ts';

/** How often the serving region changed, as clients saw it; a failover that was not asked for costs more than it saves. */
export const expectedFailover: Check = {
  name: 'expected-failover',
  kind: 'target',
  question: 'Did the service move to another region as often as the scenario expects?',
  judge: ({ scenario, measurement }) => {
    const { reigns, changes } = measurement.reigns;
    const way = reigns.map((reign) => reign.region).join(' → ');
    const lines = reigns.map((reign) => reign.line);
    if (reigns.length === 0) return [finding('expected-failover', 'inconclusive', 'no region acknowledged anything')];
    if (scenario.expect.failover === 'allowed')
      return [finding('expected-failover', 'pass', `${changes} change(s): ${way}; any number is allowed`, lines)];
    const expected = scenario.expect.failover === 'one' ? 1 : 0;
    const told = `${changes} change(s) of the serving region (${way}); expected ${expected}`;
    return [finding('expected-failover', changes === expected ? 'pass' : 'fail', told, lines)];
  },
};
