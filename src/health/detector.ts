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
  readonly straightSuccesses: number;
  readonly suspectSinceMs: number | null;
}

export function beginDetection(primary: string, epoch: number, nowMs: number): Detection {
  return { primary, epoch, aliveAtMs: nowMs, lastCommitAtMs: null, straightSuccesses: 0, suspectSinceMs: null };
}

/** After a probe that ended at `nowMs`. A failure changes nothing but the run of successes: what counts is the time without success. */
export function afterProbe(before: Detection, committed: boolean, nowMs: number, policy: Policy): Detection {
  const detection = afterTime(before, nowMs, policy);
  if (!committed) return { ...detection, straightSuccesses: 0 };
  const straightSuccesses = detection.straightSuccesses + 1;
  const cleared = straightSuccesses >= policy.clearAfterSuccesses;
  return {
    ...detection,
    straightSuccesses,
    lastCommitAtMs: nowMs,
    aliveAtMs: nowMs,
    suspectSinceMs: cleared ? null : detection.suspectSinceMs,
  };
}

/** As time passes without probes ending (they may hang): suspect from the moment at which `suspectAfterMs` without success was over. */
export function afterTime(before: Detection, nowMs: number, policy: Policy): Detection {
  const dueAtMs = before.aliveAtMs + policy.suspectAfterMs;
  if (before.suspectSinceMs !== null || nowMs < dueAtMs) return before;
  return { ...before, suspectSinceMs: dueAtMs, straightSuccesses: 0 };
}
