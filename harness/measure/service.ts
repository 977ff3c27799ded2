import type { Workload } from '../scenario/scenario.ts';

/** What the judgement of service needs of an operation. */
export interface ServiceSample {
  readonly intendedMs: number;
  readonly completedMs: number;
  readonly outcome: 'ok' | 'failed' | 'unknown';
  readonly reason?: string;
  /** How late the client itself was with it. */
  readonly lateMs?: number;
  /** When, before it was late, it had certainly been awake. */
  readonly awakeMs?: number;
}

/** Operations are due every period; without one for so many periods nobody was looking, which is not service. */
const MISSING_PERIODS = 5;

/** Good: succeeded within the limit from when it was due. */
export function isGood(sample: ServiceSample, workload: Workload): boolean {
  return sample.outcome === 'ok' && sample.completedMs - sample.intendedMs <= workload.goodWithinMs;
}

/**
 * Index of the first operation of the first sustained window at or after `from`: consecutive good ones, at least so many and for
 * at least so long, and no gap in the schedule. −1 when there is none. Samples are in the order of their intended start.
 */
export function firstSustained(samples: readonly ServiceSample[], workload: Workload, from = 0): number {
  const { operations, forMs } = workload.sustained;
  let start = -1;
  for (let i = from; i < samples.length; i++) {
    const sample = samples[i];
    if (sample === undefined) break;
    if (!isGood(sample, workload)) {
      start = -1;
      continue;
    }
    if (start < 0 || isGap(samples[i - 1], sample, workload)) start = i;
    const first = samples[start];
    if (first !== undefined && i - start + 1 >= operations && sample.completedMs - first.completedMs >= forMs) return start;
  }
  return -1;
}

function isGap(before: ServiceSample | undefined, after: ServiceSample, workload: Workload): boolean {
  return before !== undefined && after.intendedMs - before.intendedMs > MISSING_PERIODS * workload.periodMs;
}

/** Longest stretch of the schedule without an operation between the two instants. */
export function longestGapMs(samples: readonly ServiceSample[], fromMs: number, toMs: number): number {
  let longest = 0;
  let last = fromMs;
  for (const { intendedMs } of samples) {
    if (intendedMs < fromMs || intendedMs > toMs) continue;
    longest = Math.max(longest, intendedMs - last);
    last = intendedMs;
  }
  return Math.max(longest, toMs - last);
}
