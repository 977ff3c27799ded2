import type { ExpectedEffect, FaultEffect, ProcessState } from '../history/event.ts';

type Frozen = Extract<ExpectedEffect, { kind: 'processes-frozen' }>;

export interface FreezeEvidence {
  readonly fault: string;
  readonly moment: FaultEffect['moment'];
  readonly expected: Frozen;
  /** Every process of the pods at several instants, as the kernel's process table has it; the instants ascend. */
  readonly states: readonly ProcessState[];
  /** before-heal: what `during` had seen; who stands still must be who stood still then. */
  readonly had?: readonly ProcessState[];
  /** Other faults of the run that hold some of these pods still, or are about to: whose doing it is that a program stands still cannot be told. */
  readonly elsewhere?: readonly string[];
  /** When the injection (during) or the heal (after-heal) was asked for. */
  readonly requestedMs: number;
}

/** The kernel's word for a process that is stopped by a signal. */
const STOPPED = 'T';
/** So many samples tell a share of the time, and that there is none any more. */
export const SHARE_SAMPLES = 40;
/** A share is known from samples, which on a machine with four programs for each processor are off by 0.08 at most. */
const TOLERANCE = 0.15;
/** And of a small share three quarters at least, or hardly anything would do; of a large one the program may have twice what it was to be left with, or a tenth. */
const LEAST_OF_ASKED = 0.75;
const leastShare = (asked: number): number => Math.max(LEAST_OF_ASKED * asked, asked - TOLERANCE, Math.min(1 - 2 * (1 - asked), 0.9));
/** Shares are counted in samples. */
const ROUNDING = 1e-9;

/**
 * Whether the pods' processes stand still as this moment asks: all of them, for good or for the share of the time that was asked for; and none
 * before and after. Pure. A share is judged from all samples, everything else from the last of each pod.
 */
export function judgeFreeze(evidence: FreezeEvidence): FaultEffect {
  const { fault, moment, expected, states, elsewhere = [] } = evidence;
  const perPod = expected.pods.map((pod) => ({ pod, objection: objectionTo(pod, evidence) }));
  const objections = [
    ...perPod.flatMap(({ pod, objection }) => (objection === undefined ? [] : [`${pod}: ${objection}`])),
    ...(moment === 'after-heal'
      ? []
      : elsewhere.map((other) => `${other} holds some of it still as well: whose doing it is cannot be told`)),
  ];
  const told = expected.pods.map(
    (pod) => `${pod} stood still in ${percent(shareOf(pod, states))} of ${instants(pod, states).length} samples`,
  );
  return {
    kind: 'fault-effect',
    fault,
    moment,
    confirmed: objections.length === 0 && perPod.length > 0,
    ...timingOf(evidence),
    asked: `${expected.pods.join(' ')}: ${lasts(moment) ? `stands still ${percent(expected.share)} of the time` : 'runs'}`,
    measured: [...told, ...objections].join('; '),
    evidence: { kind: 'states', states },
  };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const lasts = (moment: FaultEffect['moment']): boolean => moment === 'during' || moment === 'before-heal';

function objectionTo(pod: string, { moment, expected, states, had = [] }: FreezeEvidence): string | undefined {
  const all = instants(pod, states);
  const last = all.at(-1);
  if (last === undefined) return 'no process runs in it';
  const still = last.filter((one) => one.state === STOPPED);
  if (!lasts(moment)) {
    if (still.length > 0) return `stands still: process ${still.map((one) => one.pid).join(', ')}`;
    if (moment === 'before' || expected.share === 1) return undefined;
    // A program that is stopped for a share of the time is seen running sooner or later: one look says nothing.
    const running = runningSince(all).length;
    return running >= SHARE_SAMPLES ? undefined : `stood still until ${running} samples before the last`;
  }
  if (expected.share === 1) {
    const running = last.filter((one) => one.state !== STOPPED);
    if (running.length > 0) return `still runs: process ${running.map((one) => `${one.pid} (${one.state})`).join(', ')}`;
    return moment === 'before-heal' ? replaced(last, instants(pod, had).at(-1) ?? []) : undefined;
  }
  const share = shareOf(pod, states);
  const isDose = share >= leastShare(expected.share) - ROUNDING && share <= expected.share + TOLERANCE + ROUNDING;
  return isDose ? undefined : `stands still ${percent(share)} of the time`;
}

function replaced(now: readonly ProcessState[], before: readonly ProcessState[]): string | undefined {
  const [are, were] = [now, before].map((processes) =>
    processes
      .map((one) => one.pid)
      .toSorted((a, b) => a - b)
      .join(' '),
  );
  return are === were ? undefined : `its processes are others: ${are}, and were ${were || 'none'}`;
}

/** The samples at the end in which nothing stands still. */
function runningSince(all: readonly (readonly ProcessState[])[]): readonly (readonly ProcessState[])[] {
  return all.slice(all.findLastIndex((processes) => processes.some((one) => one.state === STOPPED)) + 1);
}

/** The samples of a pod, each with all its processes. */
function instants(pod: string, states: readonly ProcessState[]): readonly (readonly ProcessState[])[] {
  const mine = states.filter((one) => one.pod === pod);
  return [...Map.groupBy(mine, (one) => one.atMs).values()];
}

function shareOf(pod: string, states: readonly ProcessState[]): number {
  const all = instants(pod, states);
  const still = all.filter((processes) => processes.every((one) => one.state === STOPPED));
  return all.length === 0 ? 0 : still.length / all.length;
}

/** It began, or was over, between the request and the first sample that shows it, of the pod that was last. */
function timingOf({ moment, expected, states, requestedMs }: FreezeEvidence): { betweenMs?: readonly [number, number]; skewMs?: number } {
  if (moment === 'before' || moment === 'before-heal') return {};
  const seen = expected.pods.map((pod) => {
    const all = instants(pod, states);
    const first = moment === 'during' ? all.find((processes) => processes.every((one) => one.state === STOPPED)) : runningSince(all)[0];
    return first?.[0]?.atMs;
  });
  const known = seen.filter((atMs) => atMs !== undefined);
  if (known.length === 0 || known.length < seen.length) return {};
  return { betweenMs: [requestedMs, Math.max(...known)], skewMs: Math.max(...known) - Math.min(...known) };
}
