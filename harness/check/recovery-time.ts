import { outagesUnder } from '../measure/fault-outages.ts';
import { judgedRecoveries, type OutageTime } from '../measure/recovery-time.ts';
import { eventsOf, faultWindow } from '../measure/view.ts';
import type { Step } from '../scenario/scenario.ts';
import { finding, seconds, TIMER_EARLY_MS, type Case, type Check } from './check.ts';
import { isOfStep } from './experiments.ts';

/** The objective is judged on the worst mustRecover vantage, and on the whole interval. */
export const recoveryTime: Check = {
  name: 'recovery-time',
  kind: 'target',
  question: 'Was service back within its objective?',
  judge: (of) => {
    const { scenario, measurement } = of;
    const objective = scenario.targets.recoveryTimeMs;
    const { recovery } = measurement;
    if (objective === null) return [finding('recovery-time', 'skipped', 'the scenario states no recovery time')];
    const limit = `the objective is ${seconds(objective)}`;
    const late = recovery.state === 'not-measured' ? undefined : longest(of);
    if (late !== undefined && late.lowerMs > objective)
      return [finding('recovery-time', 'fail', `${toldOf(late)}; ${limit}`, linesOf(late))];
    switch (recovery.state) {
      case 'not-measured':
        return [finding('recovery-time', 'inconclusive', `not measured: ${recovery.reason}; ${limit}`)];
      case 'no-outage':
        return [finding('recovery-time', 'pass', `no outage was seen; ${limit}`)];
      case 'censored':
        return [finding('recovery-time', 'inconclusive', `${toldOf(recovery)}; ${limit}`)];
      case 'recovered': {
        const told = `${toldOf(recovery)}; ${limit}`;
        const outcome = recovery.upperMs <= objective ? 'pass' : 'inconclusive';
        const healed = outcome === 'pass' ? backOnceHealed(of) : undefined;
        if (healed !== undefined)
          return [
            finding(
              'recovery-time',
              'inconclusive',
              `${told}, and not before ${healed} was healed: who knows when without that; await recovery for as long as the objective`,
              [recovery.line],
            ),
          ];
        return [finding('recovery-time', outcome, told, [recovery.line])];
      }
    }
  },
};

/** The outage that was longest for certain. */
function longest({ view }: Case): OutageTime | undefined {
  return judgedRecoveries(view).toSorted((a, b) => b.lowerMs - a.lowerMs)[0];
}

const toldOf = (outage: OutageTime): string =>
  outage.state === 'censored'
    ? `${outage.vantage} was not back after ${seconds(outage.lowerMs)}`
    : `${outage.vantage} was back after ${seconds(outage.lowerMs)} to ${seconds(outage.upperMs)}`;
const linesOf = (outage: OutageTime): readonly number[] => (outage.state === 'censored' ? [] : [outage.line]);

/**
 * A fault that lasts until it is healed, under which the method awaits recovery, and at whose end service came back instead: what was measured is how long the method waited. One that acts once, or that has lasted for as long
 * as its manifest says, is over before as a part of the question.
 */
function backOnceHealed({ view, scenario }: Case): string | undefined {
  const healed = eventsOf(view.events, 'fault-healed');
  const injected = eventsOf(view.events, 'fault-injected');
  const healedMs = (fault: string): number => healed.find((event) => event.fault === fault)?.requestedMs ?? Infinity;
  const lasting = eventsOf(view.events, 'fault-planned').filter(({ expected, durationMs = null, fault }) => {
    const actsOnce = expected.kind === 'processes-gone' && expected.afterwards !== 'held';
    const beganMs = injected.find((event) => event.fault === fault)?.acknowledgedMs ?? Infinity;
    const ranOut = durationMs !== null && healedMs(fault) >= beganMs + durationMs - TIMER_EARLY_MS;
    return !actsOnce && !ranOut && isAwaitedUnder(scenario.method, fault);
  });
  return lasting.find(({ fault }) => scenario.expect.mustRecover.some((vantage) => endedBy(healedMs(fault), view, fault, vantage)))?.fault;
}

/** Any outage, not the longest alone: how long one would have lasted that was cut short is not known. One that only the return brings is another, also where it is of what was under way by then. */
function endedBy(healedMs: number, view: Case['view'], name: string, vantage: string): boolean {
  const fault = view.faults.find((one) => one.fault === name);
  const window = fault === undefined ? null : faultWindow(view, fault);
  if (window === null) return false;
  const untilHealed = { ...window, endMs: Math.min(window.endMs, healingMs(view, healedMs)), superseded: true };
  return (outagesUnder(view, untilHealed, vantage) ?? []).some(({ back }) => (back?.operation.completedMs ?? 0) > healedMs);
}

/** When the first of the heals was asked for that the method gives one after the other, up to this one: from then on something returns. */
function healingMs({ events }: Case['view'], healedMs: number): number {
  const phases = eventsOf(events, 'phase').filter(({ atMs }) => atMs <= healedMs);
  const fromMs = phases[phases.findLastIndex(({ phase }) => phase !== 'heal') + 1]?.atMs ?? healedMs;
  return Math.min(healedMs, ...eventsOf(events, 'fault-healed').flatMap(({ requestedMs: ms }) => (ms >= fromMs ? [ms] : [])));
}

function isAwaitedUnder(method: readonly Step[], fault: string): boolean {
  const begun = method.findIndex((step) => (step.do === 'inject' || step.do === 'arm') && isOfStep(fault, step.fault));
  const after = method.slice(begun + 1);
  const ended = after.findIndex((step) => step.do === 'heal' && isOfStep(fault, step.fault));
  return begun >= 0 && after.slice(0, ended < 0 ? undefined : ended).some((step) => step.do === 'await-recovery');
}
