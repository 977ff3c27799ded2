import { z } from 'zod';

const ms = z.number().int().positive();

/** Every number that decides; no constants elsewhere. Times in milliseconds. */
export const policyShape = z.strictObject({
  probePeriodMs: ms,
  probeTimeoutMs: ms,
  /** Without one success for so long an observer suspects. */
  suspectAfterMs: ms,
  /** A suspicion must last so long, unvetoed and by quorum, to be confirmed. */
  confirmMs: ms,
  /** Straight successes that clear a suspicion (hysteresis the other way). */
  clearAfterSuccesses: z.number().int().positive(),
  leaseRenewMs: ms,
  leaseMs: ms,
  /** The holder stops so long after sending its last successful renewal… */
  holderStopsMs: ms,
  /** …and a successor acts so long after it last saw the lease change. */
  successorWaitsMs: ms,
  arbiterRpcMs: ms,
  arbiterElectionMs: ms,
  leaderRenewMs: ms,
  leaderTakeoverMs: ms,
  appendTimeoutMs: ms,
  /** A standby that has acknowledged nothing for so long leaves the sync set (if another remains). */
  syncDropAfterMs: ms,
  stepTimeoutMs: ms,
  /** At most one automatic failover in so long; those that an operator asks for are neither counted nor refused. */
  antiFlapMs: z.number().int().nonnegative(),
});
export type Policy = z.infer<typeof policyShape>;

export const PRESETS: Readonly<Record<'lab' | 'production', Policy>> = {
  lab: {
    probePeriodMs: 100,
    probeTimeoutMs: 150,
    suspectAfterMs: 600,
    confirmMs: 300,
    clearAfterSuccesses: 3,
    leaseRenewMs: 200,
    leaseMs: 1500,
    holderStopsMs: 1300,
    successorWaitsMs: 1600,
    arbiterRpcMs: 100,
    arbiterElectionMs: 950,
    leaderRenewMs: 200,
    leaderTakeoverMs: 700,
    appendTimeoutMs: 300,
    syncDropAfterMs: 500,
    stepTimeoutMs: 10_000,
    antiFlapMs: 0,
  },
  production: {
    probePeriodMs: 1000,
    probeTimeoutMs: 900,
    suspectAfterMs: 5000,
    confirmMs: 10_000,
    clearAfterSuccesses: 3,
    leaseRenewMs: 2000,
    leaseMs: 15_000,
    holderStopsMs: 12_000,
    successorWaitsMs: 16_000,
    arbiterRpcMs: 1000,
    arbiterElectionMs: 5000,
    leaderRenewMs: 2000,
    leaderTakeoverMs: 7000,
    appendTimeoutMs: 2000,
    syncDropAfterMs: 4000,
    stepTimeoutMs: 120_000,
    antiFlapMs: 3_600_000,
  },
};

/** Reasons why these numbers cannot keep the promises of the lease; empty when they can. */
export function policyProblems(policy: Policy): readonly string[] {
  const problems: string[] = [];
  const need = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  need(
    policy.arbiterElectionMs + policy.leaseRenewMs + policy.arbiterRpcMs <= policy.holderStopsMs,
    'arbiterElectionMs + leaseRenewMs + arbiterRpcMs must not exceed holderStopsMs: an arbiter election would fence a healthy primary',
  );
  need(policy.holderStopsMs < policy.leaseMs, 'holderStopsMs must be below leaseMs');
  need(policy.leaseMs < policy.successorWaitsMs, 'leaseMs must be below successorWaitsMs (margin for clock drift)');
  need(policy.probeTimeoutMs + policy.probePeriodMs < policy.suspectAfterMs, 'suspectAfterMs must cover more than one probe');
  need(policy.leaderRenewMs * 2 < policy.leaderTakeoverMs, 'leaderTakeoverMs must be above twice leaderRenewMs');
  return problems;
}

/** A bucket takes about one write of an object in so long (Google Cloud Storage says one per second). */
export const OBJECT_WRITES_APART_MS = 1000;

/** Reasons why these numbers cannot be kept with an arbiter whose records are objects in a bucket; empty when they can. */
export function objectArbiterProblems(policy: Policy): readonly string[] {
  const problems: string[] = [];
  for (const name of ['leaseRenewMs', 'leaderRenewMs'] as const)
    if (policy[name] < OBJECT_WRITES_APART_MS)
      problems.push(
        `${name} is ${policy[name]}, but a bucket takes one write of an object per second: with arbiter kind gcs it must be at least ${OBJECT_WRITES_APART_MS} (production has ${PRESETS.production[name]}); lab's periods need arbiter kind etcd`,
      );
  const slowestMs = policy.arbiterElectionMs + policy.leaseRenewMs + policy.arbiterRpcMs + OBJECT_WRITES_APART_MS;
  if (slowestMs > policy.holderStopsMs)
    problems.push(
      `arbiterElectionMs + leaseRenewMs + arbiterRpcMs + ${OBJECT_WRITES_APART_MS} (between two writes of an object) must not exceed holderStopsMs with arbiter kind gcs`,
    );
  return problems;
}
