import { sealQuorum } from './fencing.ts';
import { blockingFailover } from './history.ts';
import { estimateLossMs, estimateLossSeconds } from './loss.ts';
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

/** So many times longer where the primary's own program is there and says that it waits for the database, as the standbys did. */
const PATIENCE = 4;

/**
 * As `lossGate`, but one that has opened only now counts when it has stayed open for as long as any other primary has to be suspected and confirmed: where standbys come back, the
 * primary may have waited for just them, and serves in a moment. (A game day found the last copy failed over from in the moment in which it had its second one.)
 * Of a database that all share, as FoundationDB is, the clients come back one after the other (measured: 1.1 s apart on a busy machine).
 */
export function steadyGate(facts: Facts, from: string, setting: Setting): Gate {
  const gate = lossGate(facts, from, setting);
  if (!gate.open || facts.gateShutAtMs === null) return gate;
  const { suspectAfterMs, confirmMs } = setting.policy;
  const openMs = facts.nowMs - facts.gateShutAtMs;
  const waits = facts.nowMs - (facts.waitingAtMs.get(from) ?? -Infinity) <= suspectAfterMs;
  if (openMs >= (waits ? PATIENCE : 1) * (suspectAfterMs + confirmMs)) return gate;
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
  // An emptied disk has nothing of what it acknowledged.
  const members = reachable.filter(({ status }) => status.lastEpoch > 0 && set.includes(status.region)).length;
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
