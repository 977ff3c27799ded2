import { eventsOf, type Lined } from '../measure/view.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import { backBefore } from './back-before.ts';
import { faultSteps, isOfStep, neverPlanned } from './experiments.ts';
import { amissAfter } from './moments.ts';
import type { Finding } from './verdict.ts';

const NAME = 'fault-healed';
/** How long after its manifest's duration a fault may be healed: the order may wait for its turn on a busy machine. */
const OVERDUE_MS = 2000;
/** What acts once is over by itself: its pods come back. */
const actsOnce = ({ expected }: Lined<'fault-planned'>): boolean => expected.kind === 'processes-gone' && expected.afterwards !== 'held';

/** Somebody has to look right before the heal. */
const leavesNoTrace = ({ expected }: Lined<'fault-planned'>): boolean =>
  ['processes-frozen', 'clocks-moved', 'links-lossy'].includes(expected.kind);

/** What the fault did must last until it is healed, and then be seen to be gone, or everything measured is measured in another lab than was asked for. */
export const faultHealed: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Did every fault last until it was healed, and was it gone then, as independent probes saw it?',
  judge: (of) => {
    const asked = faultSteps(of.scenario);
    if (asked.length === 0) return [finding(NAME, 'skipped', 'the scenario injects no fault')];
    const plans = eventsOf(of.view.events, 'fault-planned');
    return asked.flatMap((step) => {
      const planned = plans.filter((plan) => isOfStep(plan.fault, step.fault));
      return planned.length > 0 ? planned.map((plan) => judgeOne(of, plan)) : [finding(NAME, 'inconclusive', neverPlanned(step))];
    });
  },
};

function judgeOne({ view }: Case, plan: Lined<'fault-planned'>): Finding {
  const { fault } = plan;
  const healed = eventsOf(view.events, 'fault-healed').find((event) => event.fault === fault);
  const after = eventsOf(view.events, 'fault-effect').findLast((event) => event.fault === fault && event.moment === 'after-heal');
  if (healed === undefined) return finding(NAME, 'inconclusive', `${fault} was never healed`);
  if (plan.expected.kind === 'unseen')
    return finding(NAME, 'inconclusive', `${fault}: nobody could see whether it lasted until it was healed, and was gone then`, [
      healed.lineNumber,
    ]);
  if (after === undefined) return finding(NAME, 'inconclusive', `${fault}: nobody looked whether it was gone`, [healed.lineNumber]);
  const lines = [healed.lineNumber, after.lineNumber];
  const overdueMs = overdue(view, plan, healed.requestedMs);
  if (overdueMs > OVERDUE_MS) {
    const message = `${fault}: its manifest lets it last ${seconds(plan.durationMs ?? 0)}, and it was healed ${seconds(overdueMs)} after that`;
    return finding(NAME, 'inconclusive', message, [plan.lineNumber, ...lines]);
  }
  const amiss = amissAfter(view, fault, healed.requestedMs);
  if (amiss !== undefined) return finding(NAME, 'inconclusive', `${fault}: ${amiss}`, lines);
  if (leavesNoTrace(plan)) {
    const last = eventsOf(view.events, 'fault-effect').findLast((event) => event.fault === fault && event.moment === 'before-heal');
    if (last === undefined) return finding(NAME, 'inconclusive', `${fault}: nobody looked whether it lasted until it was healed`, lines);
    if (!last.confirmed) {
      const message = `${fault}: its effect was over before it was healed: asked ${last.asked}, measured ${last.measured}`;
      return finding(NAME, 'inconclusive', message, [last.lineNumber, ...lines]);
    }
  }
  if (after.betweenMs !== undefined && after.betweenMs[1] < healed.requestedMs && !actsOnce(plan)) {
    const earlyMs = Math.round(healed.requestedMs - after.betweenMs[1]);
    return finding(NAME, 'inconclusive', `${fault}: its effect was over ${earlyMs} ms before it was healed`, lines);
  }
  if (plan.expected.kind === 'links-cut' && after.evidence.kind === 'links' && after.evidence.beacons.length === 0)
    return finding(NAME, 'inconclusive', `${fault}: nobody watched whether it lasted until it was healed`, lines);
  const stranger = strangerOf(view, plan, healed.requestedMs);
  if (stranger !== undefined)
    return finding(NAME, 'inconclusive', `${fault}: ${stranger.pod} came while it lasted, and nobody saw its links`, [
      stranger.lineNumber,
      ...lines,
    ]);
  const [early] = backBefore(view, plan, after, healed.requestedMs);
  if (early !== undefined) {
    const earlyMs = Math.round(healed.requestedMs - early.atMs);
    return finding(NAME, 'inconclusive', `${fault}: its effect on ${early.what} was over ${earlyMs} ms before it was healed`, lines);
  }
  return finding(NAME, after.confirmed ? 'pass' : 'inconclusive', `${fault}: asked ${after.asked}, measured ${after.measured}`, lines);
}

/** A pod that came in the meantime, as one takes the place of another under another name: what was done to those that were there by then nobody did to it. */
function strangerOf(view: Case['view'], { fault, expected }: Lined<'fault-planned'>, healedMs: number): Lined<'pod'> | undefined {
  const injected = eventsOf(view.events, 'fault-injected').find((event) => event.fault === fault);
  if (injected === undefined || (expected.kind !== 'links-cut' && expected.kind !== 'links-lossy')) return undefined;
  const came = eventsOf(view.events, 'pod').filter(
    ({ change, atMs }) => change === 'started' && atMs > injected.requestedMs && atMs < healedMs,
  );
  return came.find(({ pod }) => !expected.pods.includes(pod));
}

/** How long after the time that the manifest lets it last it was healed; earlier is nobody's mistake: a step of the method may say so. */
function overdue(view: Case['view'], { fault, durationMs = null }: Lined<'fault-planned'>, healedMs: number): number {
  const injected = eventsOf(view.events, 'fault-injected').find((event) => event.fault === fault);
  return durationMs === null || injected === undefined ? 0 : healedMs - injected.acknowledgedMs - durationMs;
}
