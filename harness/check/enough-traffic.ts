import { longestGapMs } from '../measure/service.ts';
import { eventsOf, type Operation, type RunView } from '../measure/view.ts';
import { clientsHit } from './clients-hit.ts';
import { finding, seconds, type Check } from './check.ts';

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
    const { steadyMs } = view;
    // The load goes on until all is settled; clients that all fell silent before would end it with themselves.
    const settledMs = eventsOf(view.events, 'phase').find((event) => event.phase === 'settle')?.atMs ?? 0;
    const loadEndMs = Math.max(view.loadEndMs, settledMs);
    if (steadyMs === null || loadEndMs <= steadyMs)
      return [finding('enough-traffic', 'inconclusive', 'no operation was recorded after the steady state')];
    const { periodMs } = scenario.workload;
    const expected = (loadEndMs - steadyMs) / periodMs;
    const silenceMs = SILENCE_PERIODS * periodMs;
    const problems = scenario.expect.mustRecover.flatMap((vantage) => {
      const operations = (view.byVantage.get(vantage) ?? []).filter((op) => op.intendedMs >= steadyMs);
      const gapMs = longestGapMs(operations, steadyMs, loadEndMs);
      const sent = new Set(operations.map((op) => op.intendedMs)).size; // a tick may send two
      if (sent < SHARE * expected) return [`${vantage} sent at ${sent} instants where at least ${Math.ceil(SHARE * expected)} were due`];
      return gapMs > silenceMs ? [`${vantage} sent nothing for ${Math.round(gapMs)} ms`] : [];
    });
    problems.push(...silentWitnesses(view, { mustRecover: scenario.expect.mustRecover, settledMs, silenceMs }));
    if (problems.length > 0) return problems.map((problem) => finding('enough-traffic', 'inconclusive', problem));
    const { issued, acknowledged } = measurement.writes;
    if (acknowledged === 0) return [finding('enough-traffic', 'inconclusive', `none of ${issued} writes was ever acknowledged`)];
    return [finding('enough-traffic', 'pass', `${view.operations.length} operations; ${acknowledged} of ${issued} writes acknowledged`)];
  },
};

/** A vantage that is not judged is still a witness, of split brain above all: it must not fall silent, not for a while either, until the fault kills its client. */
function silentWitnesses(
  view: RunView,
  {
    mustRecover,
    settledMs,
    silenceMs,
  }: { readonly mustRecover: readonly string[]; readonly settledMs: number; readonly silenceMs: number },
): readonly string[] {
  const hit = clientsHit(view);
  return view.started.vantages.flatMap((vantage) => {
    const operations = view.byVantage.get(vantage) ?? [];
    if (mustRecover.includes(vantage)) return [];
    if (operations.length === 0) return [`${vantage}, a witness, never sent anything`];
    // Of one that is killed what it had under way is not told.
    const untilMs = Math.min(settledMs, (hit.get(vantage) ?? Infinity) - view.scenario.workload.timeoutMs);
    const silence = longestSilence(operations, view.steadyMs ?? 0, untilMs);
    if (silence.toMs - silence.fromMs <= silenceMs) return [];
    const until =
      silence.toMs < untilMs ? `from ${seconds(silence.fromMs)} to ${seconds(silence.toMs)}` : `more from ${seconds(silence.fromMs)} on`;
    return [`${vantage}, a witness, sent nothing ${until}`];
  });
}

/** By when a client came to send: one that stands still stamps what was due meanwhile as if it had been there. */
function longestSilence(
  operations: readonly Operation[],
  fromMs: number,
  toMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const sentMs = operations.map(({ intendedMs, lateMs = 0 }) => intendedMs + lateMs).filter((ms) => ms >= fromMs && ms <= toMs);
  const instants = [fromMs, ...sentMs.toSorted((a, b) => a - b), toMs];
  const silences = instants.slice(1).map((ms, index) => ({ fromMs: instants[index] ?? ms, toMs: ms }));
  return silences.reduce((longest, one) => (one.toMs - one.fromMs > longest.toMs - longest.fromMs ? one : longest));
}
