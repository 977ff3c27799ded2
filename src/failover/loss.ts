import type { SealedLog } from '../arbiter/arbiter.ts';
import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import { leaseTimes, type LeaseSighting } from './fencing.ts';
import type { Facts, SeenStatus, Setting } from './state.ts';

/** An operator's consent to lose whatever is not on the region that is promoted. */
export const ANY_LOSS_SECONDS = Number.MAX_SAFE_INTEGER;

/**
 * How much of what was acknowledged `region` may lack, at most: its lag in the last sample of the old primary, plus what the primary may have acknowledged since. That
 * ends when its lease is certainly over. Without such a sample, what the standby itself has heard; null where nobody can tell.
 */
export function estimateLossSeconds(facts: Facts, from: string, region: string, setting: Setting): number | null {
  const lossMs = estimateLossMs(facts, from, region, setting);
  return lossMs === null ? null : Math.ceil(lossMs) / 1000;
}

export function estimateLossMs(facts: Facts, from: string, region: string, { policy }: Setting): number | null {
  const held = lastSighting(facts, from);
  const { holderStopsMs } = leaseTimes(held?.lease ?? null, policy);
  const leaseOverAtMs = held === null ? facts.nowMs : Math.min(facts.nowMs, held.seenAtMs + holderStopsMs);
  const stoppedAtMs = stoppedAt(facts, from, region, { seenAtMs: held?.seenAtMs ?? facts.nowMs, leaseOverAtMs, holderStopsMs }, policy);
  const sample = facts.databases.get(from);
  const standby = facts.databases.get(region);
  if (standby !== undefined && sample !== undefined && standby.askedAtMs >= sample.askedAtMs && isSetBack(facts, from, standby.status))
    return null;
  const lagMs = sample?.status.standbys[region]?.lagMs;
  if (sample !== undefined && lagMs !== undefined && lagMs < UNKNOWN_LAG_MS) return lagMs + Math.max(0, stoppedAtMs - sample.askedAtMs);
  const completeAtMs = whenComplete(standby, from, held?.lease.epoch ?? null);
  return completeAtMs === null ? null : Math.max(0, stoppedAtMs - completeAtMs) + policy.appendTimeoutMs;
}

/** Whether a log ends before what the old primary last told of it: its disk was emptied since, or is an older one, and what it lacks nobody can tell. */
export function isSetBack(
  { databases }: Pick<Facts, 'databases'>,
  from: string,
  { region, lastEpoch, lastIndex }: Pick<SealedLog, 'region' | 'lastEpoch' | 'lastIndex'>,
): boolean {
  return lastEpoch === 0 || lastIndex < (databases.get(from)?.status.standbys[region]?.matchIndex ?? 0);
}

/**
 * From when on the old primary acknowledged nothing any more. It may have gone on by direct leases when the one in the arbiter was over. For that it needed the promise of this standby too, which is given with
 * the answer to an append: until as long after the last one that the standby heard as any lease lasts. Promises that are over are told by nobody; without this the primary was taken to have stopped with the arbiter's lease.
 * One that was restarted has forgotten all that: the process before it may have heard the primary right until then.
 */
function stoppedAt(
  { nowMs, databases }: Facts,
  from: string,
  region: string,
  { seenAtMs, leaseOverAtMs, holderStopsMs }: { readonly seenAtMs: number; readonly leaseOverAtMs: number; readonly holderStopsMs: number },
  policy: Setting['policy'],
): number {
  const standby = databases.get(region);
  if (standby === undefined || standby.askedAtMs < leaseOverAtMs || standby.status.promised?.to === from) return nowMs;
  const { upstream, upMs = Infinity } = standby.status;
  const heardAtMs = standby.askedAtMs - (upstream == null || upstream.region !== from ? upMs : Math.min(upMs, upstream.ageMs));
  // Standbys are asked to promise only where the arbiter has been silent for longer than this.
  const mayBeDirect = heardAtMs > seenAtMs + policy.leaseRenewMs;
  return mayBeDirect ? Math.min(nowMs, Math.max(leaseOverAtMs, heardAtMs + holderStopsMs)) : leaseOverAtMs;
}

/** The sight of the old primary's lease after which it cannot have renewed it. One whose last renewal this controller missed may have renewed until its epoch was seen taken. */
function lastSighting({ lease, replaced }: Facts, from: string): LeaseSighting | null {
  if (lease?.lease.holder === from) return lease;
  if (replaced?.lease.holder !== from) return null;
  const missedRenewals = lease !== null && lease.lease.holder === null && lease.lease.seq !== replaced.revision;
  return missedRenewals ? { ...replaced, seenAtMs: lease.seenAtMs } : replaced;
}

/** When the standby itself last heard from the old primary that it had everything: for a leader that never saw that primary. What it heard was sent a little earlier. */
function whenComplete(seen: SeenStatus | undefined, from: string, epoch: number | null): number | null {
  const upstream = seen?.status.upstream;
  if (seen === undefined || upstream == null || upstream.region !== from || upstream.lagEntries > 0) return null;
  // A log that ends in another epoch may not be that primary's.
  return upstream.epoch === epoch && seen.status.lastEpoch === epoch ? seen.askedAtMs - upstream.ageMs : null;
}
