import type { ChangeMoment, ExpectedEffect, FaultEffect, PodChanged, PodProcess } from '../history/event.ts';
import { KILLED } from '../platform/killed.ts';
import { sameProcess } from './last-there.ts';

type ProcessesGone = Extract<ExpectedEffect, { kind: 'processes-gone' }>;

export interface ProcessEvidence {
  readonly fault: string;
  readonly moment: ChangeMoment;
  readonly expected: ProcessesGone;
  /** What ran in the pods before the injection, and what runs now: read from the kernel, not from the injector. */
  readonly before: readonly PodProcess[];
  readonly now: readonly PodProcess[];
  /** Exits and starts as the pods' supervisor, which waits for its children, recorded them. */
  readonly changes: readonly (PodChanged & { readonly atMs: number })[];
  /** When the injection (during) or the heal (after-heal) was asked for. */
  readonly requestedMs: number;
  /** When the kernel was last seen to have all of `before`. */
  readonly lastThereMs?: number | undefined;
}

/**
 * Whether the pods' processes are as this moment asks. Two independent witnesses must agree: the kernel's process table (what runs in the
 * pod's network namespace, which catches a child that the supervisor lost), and the exit that the parent's wait() saw, which has the time. Pure.
 */
export function judgeProcesses(evidence: ProcessEvidence): FaultEffect {
  const { fault, moment, expected, lastThereMs } = evidence;
  const perPod = expected.pods.map((pod) => ({ pod, objection: objectionTo(pod, evidence) }));
  const objections = perPod.flatMap(({ pod, objection }) => (objection === undefined ? [] : [`${pod}: ${objection}`]));
  const good = perPod.length - objections.length;
  return {
    kind: 'fault-effect',
    fault,
    moment,
    confirmed: objections.length === 0 && perPod.length > 0,
    ...timingOf(evidence),
    asked: `${expected.pods.join(' ')}: ${ASKED[moment](expected)}`,
    measured: [`${good} of ${perPod.length} pods as asked`, ...objections].join('; '),
    evidence: { kind: 'processes', processes: evidence.now, ...(lastThereMs === undefined ? {} : { lastThereMs }) },
  };
}

const ASKED: Readonly<Record<ChangeMoment, (expected: ProcessesGone) => string>> = {
  before: () => 'running',
  during: ({ afterwards }) => (afterwards === 'held' ? 'no process left, and none started' : 'its processes gone'),
  'after-heal': () => 'running again',
};

const described = (processes: readonly PodProcess[]): string => processes.map((one) => `${one.pid} (${one.command})`).join(', ');

function objectionTo(pod: string, { moment, expected, before, now, changes, requestedMs }: ProcessEvidence): string | undefined {
  const had = before.filter((one) => one.pod === pod);
  const has = now.filter((one) => one.pod === pod);
  if (moment === 'before') return has.length > 0 ? undefined : 'no process runs in it, so there is nothing to take away';
  if (moment === 'after-heal') return has.length > 0 ? undefined : 'no process runs in it';
  if (had.length === 0) return 'no process ran in it before';
  const survivors = had.filter((one) => has.some((other) => sameProcess(one, other)));
  if (survivors.length > 0) return `still there: process ${described(survivors)}`;
  if (expected.afterwards === 'held' && has.length > 0) return `started while it should be held: process ${described(has)}`;
  const exits = exitsOf(pod, changes, requestedMs).filter((change) => had.some((one) => one.pid === change.pid));
  if (exits.length === 0) return 'its processes are gone, but nobody saw them exit after the injection';
  const own = exits.every(byItself) ? exits[0] : undefined;
  // A pod that is killed or failed may be asked to end first; whoever kills a container kills it at once, and the next one would be there as well if it had only crashed.
  return expected.afterwards === 'restarted' && own !== undefined
    ? `it ended by itself (${own.signal ?? `exit code ${own.exitCode}`})`
    : undefined;
}

const byItself = ({ exitCode = null, signal = null }: PodChanged): boolean =>
  signal === null ? exitCode !== null && exitCode !== KILLED : signal !== 'SIGKILL';

const exitsOf = (pod: string, changes: ProcessEvidence['changes'], sinceMs: number): ProcessEvidence['changes'] =>
  changes.filter((change) => change.pod === pod && change.change === 'exited' && change.atMs >= sinceMs);

/**
 * During: the first exit cannot be earlier than the request, nor than the last look that saw all of them; a look that saw them after it contradicts it, and says nothing.
 * After the heal: the last pod to start again.
 */
function timingOf(evidence: ProcessEvidence): { betweenMs?: readonly [number, number]; skewMs?: number } {
  const { moment, expected, changes, requestedMs, lastThereMs = -Infinity } = evidence;
  if (moment === 'before') return {};
  const times = expected.pods.map((pod) => {
    if (moment === 'during') return exitsOf(pod, changes, requestedMs)[0]?.atMs;
    return changes.findLast((change) => change.pod === pod && change.change === 'started')?.atMs;
  });
  const known = times.filter((atMs) => atMs !== undefined);
  if (known.length < times.length || known.length === 0) return {};
  const [first, last] = [Math.min(...known), Math.max(...known)];
  if (moment === 'during') {
    const stillThereMs = lastThereMs > first ? -Infinity : lastThereMs;
    return { betweenMs: [Math.max(requestedMs, stillThereMs), first], skewMs: last - first };
  }
  return { betweenMs: [Math.min(requestedMs, last), last], skewMs: last - first };
}
