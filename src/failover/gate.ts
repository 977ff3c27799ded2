import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import { leaseTimes, sealQuorum, type LeaseSighting } from './fencing.ts';
import { blockingFailover } from './history.ts';
import { describePause, pauseInForce } from './maintenance.ts';
import { compareLogs } from './sealing.ts';
import { isFresh } from './setting.ts';
import type { Blocker, Facts, SeenStatus, Setting } from './state.ts';

export interface Closed {
  readonly open: false;
  readonly blocker: Blocker;
  readonly reason: string;
  /** Null: not known, or not what it is about. */
  readonly estimatedLossSeconds: number | null;
}
export type Gate = { readonly open: true; readonly candidate: string; readonly estimatedLossSeconds: number } | Closed;

/**
 * Whether a failover away from `from` may begin by itself. Asked before anything is taken, because afterwards the old primary cannot come back alone. What people or the
 * policy say comes first, then what may be lost.
 */
export function passGate(facts: Facts, from: string, setting: Setting): Gate {
  return policyBlock(facts, setting) ?? withCapacity(steadyGate(facts, from, setting), setting);
}

/**
 * As `lossGate`, but one that has opened only now counts when it has stayed open for as long as any other primary has to be suspected and confirmed: where standbys come back, the
 * primary may have waited for just them, and serves in a moment. (A game day found the last copy failed over from in the moment in which it had its second one.)
 */
export function steadyGate(facts: Facts, from: string, setting: Setting): Gate {
  const gate = lossGate(facts, from, setting);
  const { suspectAfterMs, confirmMs } = setting.policy;
  if (!gate.open || facts.gateShutAtMs === null || facts.nowMs - facts.gateShutAtMs >= suspectAfterMs + confirmMs) return gate;
  return closed(
    'loss',
    `the standbys that it needs are back only now: ${from} may have waited for them and serve in a moment`,
    gate.estimatedLossSeconds,
  );
}

/**
 * When the gate was last found shut before a primary that nobody sees serve and that cannot without standbys (sync). `freshMs`: how old what is known of a standby may be, longer
 * for a leader that has only begun to ask as often as leaders do.
 */
export function noteShut(beforeMs: number | null, facts: Facts, freshMs: number): number | null {
  const holder = facts.lease?.lease.holder ?? null;
  const rule = facts.replication?.value;
  // Whoever comes back with a standby may be the observer that the quorum lacked: then both open in one moment.
  if (holder === null || facts.quorum.kind === 'veto' || rule?.mode !== 'sync') return beforeMs;
  const answering = rule.set.filter(
    (region) => region !== holder && facts.nowMs - (facts.databases.get(region)?.askedAtMs ?? -Infinity) <= freshMs,
  );
  return answering.length > 0 && answering.length >= sealQuorum(rule.set, rule.w) ? beforeMs : facts.nowMs;
}

/** Sync: the seal quorum must be in reach, then nothing can be lost. Async: the last lag sample plus its age must be within the RPO. */
export function lossGate(facts: Facts, from: string, setting: Setting): Gate {
  const reachable = reachableStandbys(facts, from, setting);
  const candidate = bestOf(reachable, setting);
  if (candidate === null) return closed('loss', 'no standby database answers', null);
  const replication = facts.replication?.value ?? null;
  if ((replication?.mode ?? setting.replication) === 'async') return rpoGate(facts, from, candidate, setting);
  if (replication === null) return { open: true, candidate, estimatedLossSeconds: 0 };
  const { set, w } = replication;
  const members = reachable.filter(({ status }) => set.includes(status.region)).length;
  const estimate = estimateLossSeconds(facts, from, candidate, setting);
  if (set.length === 0) return closed('loss', 'the sync set is empty: only the primary has every acknowledged write', estimate);
  if (members < sealQuorum(set, w)) {
    const reason = `${members} of the sync set (${set.join(', ')}) answer, ${sealQuorum(set, w)} must be sealed to lose nothing`;
    return closed('loss', reason, estimate);
  }
  return { open: true, candidate, estimatedLossSeconds: 0 };
}

/** The standby that is expected to be promoted: the longest log that was seen, then the operator's order. Null when none answers. */
export function likelyCandidate(facts: Pick<Facts, 'nowMs' | 'databases'>, from: string, setting: Setting): string | null {
  return bestOf(reachableStandbys(facts, from, setting), setting);
}

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

function estimateLossMs(facts: Facts, from: string, region: string, { policy }: Setting): number | null {
  const held = lastSighting(facts, from);
  const { holderStopsMs } = leaseTimes(held?.lease ?? null, policy);
  const leaseOverAtMs = held === null ? facts.nowMs : Math.min(facts.nowMs, held.seenAtMs + holderStopsMs);
  const stoppedAtMs = stoppedAt(facts, from, region, { seenAtMs: held?.seenAtMs ?? facts.nowMs, leaseOverAtMs, holderStopsMs }, policy);
  const sample = facts.databases.get(from);
  const lagMs = sample?.status.standbys[region]?.lagMs;
  if (sample !== undefined && lagMs !== undefined && lagMs < UNKNOWN_LAG_MS) return lagMs + Math.max(0, stoppedAtMs - sample.askedAtMs);
  const completeAtMs = whenComplete(facts.databases.get(region), from, held?.lease.epoch ?? null);
  return completeAtMs === null ? null : Math.max(0, stoppedAtMs - completeAtMs) + policy.appendTimeoutMs;
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

/** From when on the old primary cannot have renewed its lease any more. One whose last renewal this controller missed may have renewed until its epoch was seen taken. */
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

function rpoGate(facts: Facts, from: string, candidate: string, setting: Setting): Gate {
  const lossMs = estimateLossMs(facts, from, candidate, setting);
  if (lossMs === null) return closed('loss', `the lag of ${candidate} is not known`, null);
  const estimatedLossSeconds = Math.ceil(lossMs) / 1000;
  if (lossMs <= setting.rpoMs) return { open: true, candidate, estimatedLossSeconds };
  const reason = `up to ${estimatedLossSeconds} s of writes may be lost on ${candidate}, the objective is ${setting.rpoMs / 1000} s`;
  return closed('loss', reason, estimatedLossSeconds);
}

/** What people and the policy have to say, whatever may be lost. */
export function policyBlock(facts: Facts, setting: Setting): Closed | null {
  const pause = pauseInForce(facts.maintenance, facts.wallMs);
  if (pause !== null) return closed('paused', `automatic failover is ${describePause(pause)}`, null);
  if (!setting.policy.automatic) return closed('not-automatic', 'the policy leaves every failover to an operator', null);
  const last = blockingFailover(facts, setting);
  if (last === null) return null;
  const ago = `the last automatic failover was ${Math.round(last.agoMs / 1000)} s ago`;
  return closed('flapping', `${ago}; coditect-dr acknowledge lets the next one begin`, null);
}

function withCapacity(gate: Gate, setting: Setting): Gate {
  if (!gate.open || setting.promotable.includes(gate.candidate)) return gate;
  const reason = `${gate.candidate} has less than ${setting.policy.minCapacityPercent} % of the capacity of ${setting.primaryRegion}`;
  return closed('capacity', reason, gate.estimatedLossSeconds);
}

function closed(blocker: Blocker, reason: string, estimatedLossSeconds: number | null): Closed {
  return { open: false, blocker, reason, estimatedLossSeconds };
}

function reachableStandbys(facts: Pick<Facts, 'nowMs' | 'databases'>, from: string, { policy }: Setting): readonly SeenStatus[] {
  return [...facts.databases.values()].filter((seen) => seen.status.region !== from && isFresh(seen, facts.nowMs, policy));
}

/** Least lag (the longest log), then enough capacity, then the operator's order. */
function bestOf(seen: readonly SeenStatus[], { regions, promotable }: Setting): string | null {
  const rank = (region: string): number => regions.indexOf(region) + (promotable.includes(region) ? 0 : regions.length);
  const [first, ...others] = seen.map(({ status }) => status);
  if (first === undefined) return null;
  return others.reduce((best, next) => ((compareLogs(best, next) || rank(best.region) - rank(next.region)) <= 0 ? best : next), first)
    .region;
}
