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
    return [...Map.groupBy(ended, ({ pod }) => pod).values()].map((exits) => judgePod(of, exits));
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

function judgePod({ view, scenario }: Case, exits: readonly Lined<'pod'>[]): Finding {
  const [first] = exits;
  const { pod = '', atMs = 0, exitCode, signal } = first ?? {};
  const often = exits.length === 1 ? '' : `, ${exits.length} times`;
  const told = `${pod} ended by itself (${signal ?? `exit code ${exitCode ?? 'unknown'}`}) at ${seconds(atMs)}${often}`;
  const excuse = !OF_ENGINE.test(pod)
    ? 'it is a server of the lab'
    : signal === 'SIGKILL'
      ? 'somebody else killed it'
      : wasHit(view, pod, atMs)
        ? 'a fault had hit it'
        : scenario.method.some((step) => step.do === 'damage')
          ? 'the scenario damages what it needs'
          : null;
  const lines = exits.map(({ lineNumber }) => lineNumber);
  return excuse === null
    ? finding(NAME, 'fail', `${told}, and nothing had been done to it`, lines)
    : finding(NAME, 'warn', `${told}; ${excuse}`, lines);
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
