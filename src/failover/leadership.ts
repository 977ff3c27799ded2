import type { Held, Leader } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';

export interface LeadershipFacts {
  readonly region: string;
  readonly incarnation: string;
  readonly held: Held<Leader> | null;
  /** When this controller first saw the record at this revision (or began to look, where there is none). */
  readonly seenAtMs: number;
  /** When it sent its last renewal that succeeded, or saw itself named; null: it does not lead. */
  readonly renewedAtMs: number | null;
  /** When the arbiter first answered that the record is still unchanged although its time is over. */
  readonly lookedAtMs: number | null;
  /** The primary's region: its controller is the one that is likely to go down with it. */
  readonly primary: string | null;
  /** No run is open: the leadership may change hands. */
  readonly idle: boolean;
  /** Other controllers that answer now and reach somebody. */
  readonly peers: readonly { readonly region: string; readonly incarnation: string }[];
  readonly nowMs: number;
}

export type LeadershipMove =
  | { readonly kind: 'wait' }
  /** Ask the arbiter whether the record is really unchanged: while it does not answer nobody can renew, and nobody is to be replaced for that. */
  | { readonly kind: 'look' }
  | { readonly kind: 'write'; readonly why: 'renew' | 'claim' | 'hand-over'; readonly value: Leader };

/**
 * Whether it leads, as far as it knows. Not a fence and no lease: a leader that was replaced without knowing is refused by the journal's revision, whatever it still wants. So it
 * goes on through an election of the arbiter, when nobody can renew, instead of forgetting what it had begun.
 */
export function isLeading({ held, region, incarnation }: Pick<LeadershipFacts, 'held' | 'region' | 'incarnation'>): boolean {
  return held !== null && held.value.region === region && held.value.incarnation === incarnation;
}

/** Whether it leads and could renew that lately: an operator's order to another would never be carried out. */
export function isConfirmed(
  facts: Pick<LeadershipFacts, 'held' | 'region' | 'incarnation' | 'renewedAtMs' | 'nowMs'>,
  policy: Policy,
): boolean {
  return isLeading(facts) && facts.renewedAtMs !== null && facts.nowMs - facts.renewedAtMs < policy.leaderTakeoverMs;
}

/** Whom a controller names that ends: one elsewhere, and rather not where the primary is, since that one would hand over as well; where nobody elsewhere answers, the partner in its own region. null: nobody answers. */
export function heirOf({ region, primary, peers }: Pick<LeadershipFacts, 'region' | 'primary' | 'peers'>): Leader | null {
  const elsewhere = peers.filter((peer) => peer.region !== region);
  const heir = elsewhere.find((peer) => peer.region !== primary) ?? elsewhere[0] ?? peers[0];
  return heir === undefined ? null : { region: heir.region, incarnation: heir.incarnation, seq: 0 };
}

/** What to do about the leadership now. */
export function decideLeadership(facts: LeadershipFacts, policy: Policy): LeadershipMove {
  const { held, nowMs, region, incarnation } = facts;
  if (held !== null && isLeading(facts)) {
    const heir = facts.idle && facts.primary === region ? facts.peers.find((peer) => peer.region !== region) : undefined;
    if (heir !== undefined)
      return { kind: 'write', why: 'hand-over', value: { region: heir.region, incarnation: heir.incarnation, seq: 0 } };
    const due = facts.renewedAtMs === null || nowMs - facts.renewedAtMs >= policy.leaderRenewMs;
    return due ? { kind: 'write', why: 'renew', value: { ...held.value, seq: held.value.seq + 1 } } : { kind: 'wait' };
  }
  const patienceMs = (held === null ? 0 : policy.leaderTakeoverMs) + (facts.primary === region ? 2 * policy.leaderTakeoverMs : 0);
  if (nowMs - facts.seenAtMs < patienceMs) return { kind: 'wait' };
  if (facts.lookedAtMs === null) return { kind: 'look' };
  if (nowMs - facts.lookedAtMs < policy.leaderRenewMs) return { kind: 'wait' };
  return { kind: 'write', why: 'claim', value: { region, incarnation, seq: 0 } };
}
