import type { Policy } from '../config/policy.ts';

export interface Expected {
  readonly earliestMs: number;
  readonly meanMs: number;
  readonly latestMs: number;
}

export interface ExpectedRecovery {
  /** From the loss of the primary's region until enough observers suspect it. */
  readonly suspected: Expected;
  readonly decided: Expected;
  /** The same where the controller that led is lost with the region: another has to lead first, and asks everybody at once when it does. */
  readonly decidedAnew: Expected;
  /** Until nobody can serve under the old lease, which nobody confirms, and so somebody else may be promoted. */
  readonly fenced: Expected;
  /** Until a client asks the name again: resolvers remember it for so long. */
  readonly nameForgotten: Expected;
  /** Both together. What is left out is what no policy sets: round trips, disks, and the client's own connection. */
  readonly service: Expected;
}

/**
 * What these numbers alone make of a lost region: no round trip, no busy machine. The last commit that was seen is up to a period old when the region goes, and a vote
 * is up to a period old when it is read; the lease was last renewed up to `leaseRenewMs` before.
 */
export function expectedRecovery(policy: Policy, ttlSeconds: number): ExpectedRecovery {
  const { probePeriodMs, suspectAfterMs, confirmMs, leaseRenewMs, successorWaitsMs, leaderRenewMs, leaderTakeoverMs } = policy;
  const suspected = { earliestMs: suspectAfterMs - probePeriodMs, meanMs: suspectAfterMs, latestMs: suspectAfterMs + probePeriodMs };
  const decided = plus(suspected, { earliestMs: confirmMs, meanMs: confirmMs, latestMs: confirmMs });
  // Unchanged for the one, then still for the other; the last renewal was up to a period before the loss.
  const anotherLeads = {
    earliestMs: leaderTakeoverMs,
    meanMs: leaderTakeoverMs + leaderRenewMs / 2,
    latestMs: leaderTakeoverMs + leaderRenewMs,
  };
  const decidedAnew = later(decided, anotherLeads);
  const leaseOver = {
    earliestMs: successorWaitsMs - leaseRenewMs,
    meanMs: successorWaitsMs - leaseRenewMs / 2,
    latestMs: successorWaitsMs,
  };
  const fenced = later(decided, leaseOver);
  const ttlMs = ttlSeconds * 1000;
  // Seen from when somebody else serves: a resolver that asked shortly before the loss remembers longest.
  const nameForgotten = { earliestMs: 0, meanMs: ttlMs / 2, latestMs: ttlMs };
  return { suspected, decided, decidedAnew, fenced, nameForgotten, service: plus(fenced, nameForgotten) };
}

function plus(a: Expected, b: Expected): Expected {
  return { earliestMs: a.earliestMs + b.earliestMs, meanMs: a.meanMs + b.meanMs, latestMs: a.latestMs + b.latestMs };
}

function later(a: Expected, b: Expected): Expected {
  return {
    earliestMs: Math.max(a.earliestMs, b.earliestMs),
    meanMs: Math.max(a.meanMs, b.meanMs),
    latestMs: Math.max(a.latestMs, b.latestMs),
  };
}
