import type { Policy } from '../config/policy.ts';

/**
 * What one observer makes of its own probes of one primary. Times are on its own monotonic clock. Only a canary commit counts as a success: it goes through the primary's
 * listener, its lease, its disk and, in sync mode, its standbys, so neither a live API before a dead database nor a live process with a dead disk looks healthy.
 */
export interface Detection {
  readonly primary: string;
  /** The epoch under which it is observed; with another one the observation starts anew. */
  readonly epoch: number;
  /** Last success, or the beginning of the observation: a new primary has `suspectAfterMs` to show itself. */
  readonly aliveAtMs: number;
  readonly lastCommitAtMs: number | null;
  /** Successes in time, one after the other. */
  readonly straightSuccesses: number;
  /** Probes since the last success that failed, or had no answer within their time. */
  readonly missed: number;
  readonly suspectSinceMs: number | null;
}

/**
 * `late`: a commit that took longer than a probe may. It shows that the primary lives, so it counts as a sign of life (and as a veto), but clears no suspicion. `missed`: it
 * failed, or its time is over; where its answer comes after all, that is told as `late`.
 */
export type ProbeOutcome = 'commit' | 'late' | 'missed';

export function beginDetection(primary: string, epoch: number, nowMs: number): Detection {
  return { primary, epoch, aliveAtMs: nowMs, lastCommitAtMs: null, straightSuccesses: 0, missed: 0, suspectSinceMs: null };
}

/** After something became known of a probe at `nowMs`. */
export function afterProbe(before: Detection, outcome: ProbeOutcome, nowMs: number, policy: Policy): Detection {
  if (outcome === 'missed') return afterTime({ ...before, straightSuccesses: 0, missed: before.missed + 1 }, nowMs, policy);
  const detection = afterTime(before, nowMs, policy);
  const straightSuccesses = outcome === 'late' ? 0 : detection.straightSuccesses + 1;
  const cleared = straightSuccesses >= policy.clearAfterSuccesses;
  return {
    ...detection,
    straightSuccesses,
    missed: 0,
    lastCommitAtMs: nowMs,
    aliveAtMs: nowMs,
    suspectSinceMs: cleared ? null : detection.suspectSinceMs,
  };
}

/**
 * As time passes: suspect once `suspectAfterMs` without success is over, *and* as many probes were missed as fit into that time. The second keeps an observer that stood still
 * itself (no CPU, a paused machine) from taking its own sleep for the primary's.
 */
export function afterTime(before: Detection, nowMs: number, policy: Policy): Detection {
  const dueAtMs = before.aliveAtMs + policy.suspectAfterMs;
  if (before.suspectSinceMs !== null || nowMs < dueAtMs || before.missed < missesToSuspect(policy)) return before;
  return { ...before, suspectSinceMs: nowMs, straightSuccesses: 0 };
}

export function missesToSuspect(policy: Policy): number {
  return Math.max(1, Math.floor((policy.suspectAfterMs - policy.probeTimeoutMs) / policy.probePeriodMs));
}
