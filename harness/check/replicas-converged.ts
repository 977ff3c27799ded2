import { eventsOf } from '../measure/view.ts';
import { finding, seconds, type Check } from './check.ts';

/** After the fault is healed every region holds the same again, and redundancy is back. */
export const replicasConverged: Check = {
  name: 'replicas-converged',
  kind: 'target',
  question: 'Do all regions hold the same data again?',
  judge: ({ view, scenario, measurement }) => {
    const { read, differences } = measurement.replicas;
    const lines = read.map((one) => one.line);
    const unread = read.filter((one) => !one.ok).map((one) => one.region);
    if (read.length === 0) return [finding('replicas-converged', 'inconclusive', 'no region was read back')];
    const asked = eventsOf(view.events, 'engine-status').filter((event) => event.program === 'db');
    const missing = [...new Set(asked.map((event) => event.region))].filter((region) => !read.some((one) => one.region === region));
    if (missing.length > 0) return [finding('replicas-converged', 'inconclusive', `${missing.join(', ')} was never read back`, lines)];
    if (unread.length > 0) return [finding('replicas-converged', 'fail', `${unread.join(', ')} could not be read back`, lines)];
    const [first] = differences;
    if (first !== undefined) {
      const message = `${first.region} differs from ${read[0]?.region}: ${first.key} is ${first.here ?? 'absent'} here, ${first.there ?? 'absent'} there (${differences.length} difference(s) named)`;
      return [finding('replicas-converged', 'fail', message, lines)];
    }
    const restored = eventsOf(view.events, 'redundancy-restored').at(-1);
    if (restored === undefined) {
      const message = `the copies are equal, but redundancy was not seen to be restored within ${seconds(scenario.settleMs)}`;
      return [finding('replicas-converged', 'fail', message, lines)];
    }
    const message = `${read.length} regions hold the same ${read[0]?.entries ?? 0} entries`;
    return [finding('replicas-converged', 'pass', message, [...lines, restored.lineNumber])];
  },
};
