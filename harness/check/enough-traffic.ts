import { longestGapMs } from '../measure/service.ts';
import { finding, type Check } from './check.ts';

/** Share of the schedule that must have been sent; a client that was itself stalled measures its own stall. */
const SHARE = 0.9;
/** Longest silence of a client, in periods. */
const SILENCE_PERIODS = 25;

/** Without traffic nothing can fail: no data is no pass. */
export const enoughTraffic: Check = {
  name: 'enough-traffic',
  kind: 'assumption',
  question: 'Did every vantage that is judged send its whole schedule?',
  judge: ({ view, scenario, measurement }) => {
    const { steadyMs, loadEndMs } = view;
    if (steadyMs === null || loadEndMs <= steadyMs)
      return [finding('enough-traffic', 'inconclusive', 'no operation was recorded after the steady state')];
    const { periodMs } = scenario.workload;
    const expected = (loadEndMs - steadyMs) / periodMs;
    const silenceMs = SILENCE_PERIODS * periodMs;
    const problems = scenario.expect.mustRecover.flatMap((vantage) => {
      const operations = (view.byVantage.get(vantage) ?? []).filter((op) => op.intendedMs >= steadyMs);
      const gapMs = longestGapMs(operations, steadyMs, loadEndMs);
      if (operations.length < SHARE * expected)
        return [`${vantage} sent ${operations.length} operations where at least ${Math.ceil(SHARE * expected)} were due`];
      return gapMs > silenceMs ? [`${vantage} sent nothing for ${Math.round(gapMs)} ms`] : [];
    });
    if (problems.length > 0) return problems.map((problem) => finding('enough-traffic', 'inconclusive', problem));
    const { issued, acknowledged } = measurement.writes;
    if (acknowledged === 0) return [finding('enough-traffic', 'inconclusive', `none of ${issued} writes was ever acknowledged`)];
    return [finding('enough-traffic', 'pass', `${view.operations.length} operations; ${acknowledged} of ${issued} writes acknowledged`)];
  },
};
