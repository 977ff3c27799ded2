import { eventsOf, type RunView } from '../measure/view.ts';
import { DATABASE_ITSELF } from '../history/event.ts';
import { OUTSIDE } from '../platform/platform.ts';
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
    const itself = scenario.database === 'foundationdb' ? [DATABASE_ITSELF] : [];
    const missing = [...regionsOf(view), ...itself].filter((region) => !read.some((one) => one.region === region));
    if (missing.length > 0) return [finding('replicas-converged', 'inconclusive', `${missing.join(', ')} was never read back`, lines)];
    if (unread.length > 0) return [finding('replicas-converged', 'fail', `${unread.join(', ')} could not be read back`, lines)];
    const [first] = differences;
    if (first !== undefined) {
      const message = `${first.region} differs from ${read[0]?.region}: ${first.key} is ${first.here ?? 'absent'} here, ${first.there ?? 'absent'} there (${differences.length} difference(s) named)`;
      return [finding('replicas-converged', 'fail', message, lines)];
    }
    if (view.started.ledger === 'templates') {
      const message = `${read.length} client(s) read the same ${read[0]?.entries ?? 0} entries; the copies behind them cannot be seen`;
      return [finding('replicas-converged', 'pass', message, lines)];
    }
    const settleMs = eventsOf(view.events, 'phase').findLast(({ phase }) => phase === 'settle')?.atMs ?? Infinity;
    const restored = eventsOf(view.events, 'redundancy-restored').findLast(({ atMs }) => atMs >= settleMs);
    if (restored === undefined) {
      const message = `the copies are equal, but redundancy was not seen to be restored within ${seconds(scenario.settleMs)}`;
      return [finding('replicas-converged', 'fail', message, lines)];
    }
    const regions = read.filter(({ region }) => region !== DATABASE_ITSELF).length;
    const message = `${regions} regions${regions < read.length ? `, and ${DATABASE_ITSELF},` : ''} hold the same ${read[0]?.entries ?? 0} entries`;
    return [finding('replicas-converged', 'pass', message, [...lines, restored.lineNumber])];
  },
};

/** As the run knew them before anything was asked: a region that nobody speaks of is missed all the same. */
function regionsOf({ started }: RunView): readonly string[] {
  return [...new Set(Object.values(started.regionOfAddress))].filter((region) => region !== OUTSIDE);
}
