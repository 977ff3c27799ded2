import { z } from 'zod';

/** A timer of Node that is given more fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const ms = z.number().int().positive().max(LONGEST_TIMER_MS);

/** No successor waits longer for a lease: a mistyped number must not leave the service down for as long as it says. */
export const LONGEST_WAIT_MS = 600_000;

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
  /** At most one automatic failover in so long, unless an operator acknowledged the last one; those that an operator asks for are neither counted nor refused. */
  antiFlapMs: z.number().int().nonnegative(),
  /** Whether failovers begin by themselves; else each waits for an operator's approval. */
  automatic: z.boolean(),
  /** A region with less than so many percent of the primary region's capacity is not promoted by itself. */
  minCapacityPercent: z.number().nonnegative(),
  /** A standby this little behind counts as caught up: about what is under way at any moment. */
  caughtUpEntries: z.number().int().nonnegative(),
  /** A planned run whose target has not caught up after so long ends with nothing changed… */
  prepareMs: ms,
  /** …whose old primary has not confirmed its fence after so long is undone… */
  fenceConfirmMs: ms,
  /** …and so is one whose target lacks something of the fenced primary's log for so long. */
  catchUpMs: ms,
  /** An old primary that does not take over again within this is taken for lost: the run goes on as a failover. */
  undoMs: ms,
  /** The new primary is to be seen serving for so long before the run is done. */
  stabiliseMs: ms,
  /** The first region must have been in sync for so long before the service is moved back to it. */
  failbackStableMs: ms,
  /** Past runs that are kept. */
  historyRuns: z.number().int().positive(),
  /** How long the program that may veto an automatic failover has for its answer; none in time is a veto. */
  vetoTimeoutMs: ms,
  /** A veto holds for so long, then the program is asked again. */
  vetoHoldsMs: ms,
  /** A standby further behind than so many entries is resynchronised by a copy: the log on the disk stays this short… */
  logKeepEntries: z.number().int().positive(),
  /** …and is cut in steps of so many, so that no write waits long for one. */
  logTrimEntries: z.number().int().positive(),
  /** Writes that may wait for their commit at once; more are refused. */
  maxWaitingWrites: z.number().int().positive(),
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
    automatic: true,
    minCapacityPercent: 0,
    caughtUpEntries: 256,
    prepareMs: 10_000,
    fenceConfirmMs: 1000,
    catchUpMs: 1000,
    undoMs: 2000,
    stabiliseMs: 500,
    failbackStableMs: 2000,
    historyRuns: 20,
    vetoTimeoutMs: 2000,
    vetoHoldsMs: 2000,
    logKeepEntries: 50_000,
    logTrimEntries: 5000,
    maxWaitingWrites: 2000,
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
    automatic: true,
    minCapacityPercent: 50,
    caughtUpEntries: 256,
    prepareMs: 300_000,
    fenceConfirmMs: 5000,
    catchUpMs: 10_000,
    undoMs: 30_000,
    stabiliseMs: 60_000,
    failbackStableMs: 600_000,
    historyRuns: 50,
    vetoTimeoutMs: 10_000,
    vetoHoldsMs: 30_000,
    logKeepEntries: 50_000,
    logTrimEntries: 5000,
    maxWaitingWrites: 2000,
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
  need(
    policy.successorWaitsMs <= LONGEST_WAIT_MS,
    `successorWaitsMs must not exceed ${LONGEST_WAIT_MS}: a region that was lost is replaced only after so long`,
  );
  need(policy.probeTimeoutMs + policy.probePeriodMs < policy.suspectAfterMs, 'suspectAfterMs must cover more than one probe');
  need(
    policy.successorWaitsMs <= policy.undoMs,
    'undoMs must be at least successorWaitsMs: before that nobody else may be promoted anyway',
  );
  need(policy.appendTimeoutMs <= policy.fenceConfirmMs, 'fenceConfirmMs must leave time for one answer (appendTimeoutMs)');
  need(policy.stabiliseMs < policy.stepTimeoutMs, 'stabiliseMs must be below stepTimeoutMs, or no failover would ever be found stable');
  need(policy.logTrimEntries < policy.logKeepEntries, 'logTrimEntries must be below logKeepEntries');
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
