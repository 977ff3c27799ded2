import type { ExpectedEffect } from '../history/event.ts';
import { eventsOf, type Lined, type RunView } from '../measure/view.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'programs-lasted';
/** How the pods of the engine's own programs are called (ARCHITECTURE §2); all others run servers that the lab brings. */
const OF_ENGINE = /^(api|db|dr-controller|backup)-/;

/**
 * A program of the engine that ends by itself, where nothing was done to it, is broken, also where it is started again before anybody misses it. Where a fault had hit its pod, or something was damaged, that may be its
 * answer; then, and of servers of others, it is told only.
 */
export const programsLasted: Check = {
  name: NAME,
  kind: 'target',
  needsEngine: true,
  question: 'Did every program of the system run on where nobody ended it?',
  judge: (of) => {
    const { view } = of;
    // Whoever ends a program of a cluster does not tell its process.
    if (view.started.platform !== 'local') return [finding(NAME, 'skipped', 'nobody tells who ended a program of a cluster')];
    const pods = eventsOf(view.events, 'pod');
    if (pods.length === 0) return [finding(NAME, 'skipped', 'the record tells of no program')];
    const ended = byThemselves(view, pods);
    if (ended.length === 0) return [finding(NAME, 'pass', 'no program ended by itself')];
    // What excuses one end excuses no other.
    return [...Map.groupBy(ended, (exit) => `${exit.pod} ${excuseOf(of, exit)}`).values()].flatMap(([first, ...others]) =>
      first === undefined ? [] : judgePod(of, first, others),
    );
  },
};

/** From the steady state until everything is stopped. */
function byThemselves({ events, steadyMs }: RunView, pods: readonly Lined<'pod'>[]): readonly Lined<'pod'>[] {
  const stoppedMs = eventsOf(events, 'phase').findLast(({ phase }) => phase === 'teardown')?.atMs ?? Infinity;
  const nameOf = ({ pod, pid }: Lined<'pod'>): string => `${pod} ${pid}`;
  const killed = new Set(pods.filter(({ change }) => change === 'killed').map(nameOf));
  const exits = pods.filter(({ change, atMs }) => change === 'exited' && atMs >= (steadyMs ?? Infinity) && atMs < stoppedMs);
  return exits.filter((exit) => !killed.has(nameOf(exit)));
}

function judgePod(of: Case, first: Lined<'pod'>, others: readonly Lined<'pod'>[]): Finding {
  const { pod, atMs, exitCode, signal } = first;
  const often = others.length === 0 ? '' : `, ${others.length + 1} times`;
  const told = `${pod} ended by itself (${signal ?? `exit code ${exitCode ?? 'unknown'}`}) at ${seconds(atMs)}${often}`;
  const excuse = excuseOf(of, first);
  const lines = [first, ...others].map(({ lineNumber }) => lineNumber);
  return excuse === null
    ? finding(NAME, 'fail', `${told}, and nothing had been done to it`, lines)
    : finding(NAME, 'warn', `${told}; ${excuse}`, lines);
}

function excuseOf({ view, scenario }: Case, { pod, atMs, signal }: Lined<'pod'>): string | null {
  if (!OF_ENGINE.test(pod)) return 'it is a server of the lab';
  if (signal === 'SIGKILL') return 'somebody else killed it';
  if (wasHit(view, pod, atMs)) return 'a fault had hit it';
  return scenario.method.some((step) => step.do === 'damage') ? 'the scenario damages what it needs' : null;
}

function wasHit({ events }: RunView, pod: string, atMs: number): boolean {
  const begun = new Set(eventsOf(events, 'fault-injected').flatMap(({ fault, requestedMs }) => (requestedMs <= atMs ? [fault] : [])));
  return eventsOf(events, 'fault-planned').some(
    ({ fault, sources, targets, expected }) =>
      begun.has(fault) && ([...sources, ...targets].some((one) => one.pod === pod) || actsOn(expected).includes(pod)),
  );
}

/** Links are between all pods of the lab, also those that nothing is done to. */
const actsOn = (expected: ExpectedEffect): readonly string[] =>
  expected.kind === 'links-cut' || expected.kind === 'links-lossy' ? [] : expected.pods;
