import { PRESETS, type Policy } from '../config/policy.ts';
import { Random } from './random.ts';

/** The lab's promises at a quieter pace: fewer happenings in the same virtual time. */
const CALM: Policy = {
  ...PRESETS.lab,
  probePeriodMs: 300,
  probeTimeoutMs: 200,
  suspectAfterMs: 900,
  confirmMs: 400,
  leaseRenewMs: 300,
  holderStopsMs: 1350,
  successorWaitsMs: 1600,
  leaderRenewMs: 300,
  leaderTakeoverMs: 900,
  appendTimeoutMs: 400,
  syncDropAfterMs: 700,
  stepTimeoutMs: 5000,
  // Short logs, so that who was away for long needs a copy.
  logKeepEntries: 40,
  logTrimEntries: 20,
};

/** Decides long before the old lease is over, so that a failover and the old primary meet. */
const EAGER: Policy = { ...CALM, probePeriodMs: 200, probeTimeoutMs: 150, suspectAfterMs: 450, confirmMs: 100 };

/** The same for somebody whose lease lasts twice as long: in a region that is configured otherwise, or that a rollout has or has not reached yet. */
export function withLongLease(policy: Policy): Policy {
  const twice = { leaseMs: 2 * policy.leaseMs, holderStopsMs: 2 * policy.holderStopsMs, successorWaitsMs: 2 * policy.successorWaitsMs };
  return { ...policy, ...twice, undoMs: Math.max(policy.undoMs, twice.successorWaitsMs) };
}

/** Whether programs differ in how long a lease lasts. */
export function chooseLeasesDiffer(seed: number): boolean {
  return new Random(seed, 'unequal leases').chance(0.2);
}

/** The numbers of a run: mostly calm, sometimes eager, sometimes just those of the lab. */
export function choosePolicy(random: Random): Policy {
  const share = random.unit();
  const policy = share < 0.1 ? PRESETS.lab : share < 0.4 ? EAGER : CALM;
  return random.chance(0.3) ? { ...policy, antiFlapMs: 30_000 } : policy;
}
