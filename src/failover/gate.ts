import { sealQuorum } from './fencing.ts';
import { compareLogs } from './sealing.ts';
import { isFresh } from './setting.ts';
import type { Facts, SeenStatus, Setting } from './state.ts';

export type Gate =
  | { readonly open: true; readonly candidate: string; readonly estimatedLossSeconds: number }
  | { readonly open: false; readonly reason: string; readonly estimatedLossSeconds: number | null };

/**
 * Whether a failover away from `from` may begin by itself. Asked before anything is taken, because afterwards the old primary cannot come back alone. Sync: the
 * seal quorum must be in reach, then nothing can be lost. Async: the last lag sample plus its age must be within the RPO.
 */
export function passGate(facts: Facts, from: string, setting: Setting): Gate {
  const flap = sinceLastFailover(facts, setting);
  if (flap !== null) return { open: false, reason: flap, estimatedLossSeconds: null };
  const reachable = reachableStandbys(facts, from, setting);
  const candidate = bestOf(reachable, setting.regions);
  if (candidate === null) return { open: false, reason: 'no standby database answers', estimatedLossSeconds: null };
  const replication = facts.replication?.value ?? null;
  if ((replication?.mode ?? setting.replication) === 'async') return rpoGate(facts, from, candidate, setting);
  if (replication === null) return { open: true, candidate, estimatedLossSeconds: 0 };
  const { set, w } = replication;
  const members = reachable.filter(({ status }) => set.includes(status.region)).length;
  if (set.length === 0)
    return { open: false, reason: 'the sync set is empty: only the primary has every acknowledged write', estimatedLossSeconds: null };
  if (members < sealQuorum(set, w)) {
    const reason = `${members} of the sync set (${set.join(', ')}) answer, ${sealQuorum(set, w)} must be sealed to lose nothing`;
    return { open: false, reason, estimatedLossSeconds: null };
  }
  return { open: true, candidate, estimatedLossSeconds: 0 };
}

/** The standby that is expected to be promoted: the longest log that was seen, then the operator's order. Null when none answers. */
export function likelyCandidate(facts: Pick<Facts, 'nowMs' | 'databases'>, from: string, setting: Setting): string | null {
  return bestOf(reachableStandbys(facts, from, setting), setting.regions);
}

function rpoGate(facts: Facts, from: string, candidate: string, setting: Setting): Gate {
  const sample = facts.databases.get(from);
  const lagMs = sample?.status.standbys[candidate]?.lagMs;
  if (sample === undefined || lagMs === undefined) {
    return { open: false, reason: `the lag of ${candidate} is not known`, estimatedLossSeconds: null };
  }
  const lossMs = lagMs + (facts.nowMs - sample.askedAtMs);
  const estimatedLossSeconds = Math.ceil(lossMs) / 1000;
  if (lossMs <= setting.rpoMs) return { open: true, candidate, estimatedLossSeconds };
  const reason = `up to ${estimatedLossSeconds} s of writes may be lost on ${candidate}, the objective is ${setting.rpoMs / 1000} s`;
  return { open: false, reason, estimatedLossSeconds };
}

function sinceLastFailover(facts: Facts, { policy }: Setting): string | null {
  const last = facts.journal?.value;
  if (policy.antiFlapMs === 0 || last === undefined || last.step !== 'DONE' || last.target !== null) return null;
  const agoMs = facts.wallMs - Date.parse(last.startedAt);
  return agoMs < policy.antiFlapMs ? `the last automatic failover was ${Math.round(agoMs / 1000)} s ago` : null;
}

function reachableStandbys(facts: Pick<Facts, 'nowMs' | 'databases'>, from: string, { policy }: Setting): readonly SeenStatus[] {
  return [...facts.databases.values()].filter((seen) => seen.status.region !== from && isFresh(seen, facts.nowMs, policy));
}

function bestOf(seen: readonly SeenStatus[], order: readonly string[]): string | null {
  const rank = (region: string): number => order.indexOf(region);
  const [best] = seen.map(({ status }) => status).toSorted((a, b) => compareLogs(a, b) || rank(a.region) - rank(b.region));
  return best?.region ?? null;
}
