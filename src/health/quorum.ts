import type { Policy } from '../config/policy.ts';
import { freshestByRegion, voteLifeMs, type ReceivedVote } from './vote.ts';

export interface Question {
  /** Every configured observer, whether it answers or not. */
  readonly observers: readonly string[];
  readonly votes: ReadonlyMap<string, ReceivedVote>;
  readonly primary: string;
  readonly epoch: number;
  /** Who would be promoted; null: not known yet, then any other region's observer may be the one outside both. */
  readonly candidate: string | null;
}

export type Quorum =
  /** Enough of the configured observers suspect since `sinceMs`, which is on the receiver's clock. */
  | { readonly kind: 'suspects'; readonly sinceMs: number; readonly by: readonly string[] }
  /** Somebody saw a commit just now: whatever the others see, the primary serves. */
  | { readonly kind: 'veto'; readonly by: string }
  | { readonly kind: 'none'; readonly why: string };

/**
 * Whether the observers agree that the primary is down: a majority of the *configured* ones, one of them outside the primary's region, one outside both the
 * primary's and the candidate's. A region counts once, by the freshest vote of its controllers; a veto is one
 * whichever of them gives it. No vote, an old vote, a vote on another epoch and a blind observer count for nothing, not for yes.
 */
export function judgeQuorum(question: Question, nowMs: number, policy: Policy): Quorum {
  const fresh = [...question.votes.values()].filter((received) => isFresh(received, question, nowMs, policy));
  const veto = fresh.find((received) => sawCommit(received, nowMs, policy));
  if (veto !== undefined) return { kind: 'veto', by: veto.vote.region };
  const suspects = freshestByRegion(fresh)
    .filter(({ vote }) => vote.verdict === 'suspect')
    .map(({ vote, receivedAtMs }) => ({ region: vote.region, sinceMs: receivedAtMs - (vote.suspectForMs ?? 0) }))
    .toSorted((a, b) => a.sinceMs - b.sinceMs);
  for (let n = 1; n <= suspects.length; n++) {
    const by = suspects.slice(0, n).map(({ region }) => region);
    if (isQuorum(by, question)) return { kind: 'suspects', sinceMs: (suspects[n - 1] as (typeof suspects)[number]).sinceMs, by };
  }
  const who = suspects.map(({ region }) => region).join(', ') || 'nobody';
  return { kind: 'none', why: `${who} of ${question.observers.length} observers suspects ${question.primary}` };
}

function isQuorum(by: readonly string[], { observers, primary, candidate }: Question): boolean {
  return (
    by.length * 2 > observers.length &&
    by.some((region) => region !== primary) &&
    by.some((region) => region !== primary && (candidate === null || region !== candidate))
  );
}

function isFresh({ vote, sentAtMs }: ReceivedVote, question: Question, nowMs: number, policy: Policy): boolean {
  const configured = question.observers.includes(vote.region);
  return configured && vote.primary === question.primary && vote.epoch === question.epoch && nowMs - sentAtMs <= voteLifeMs(policy);
}

/** The age when it was sent counts, plus what has passed since it was asked for: at least so long ago is too old by no more than a round trip. */
function sawCommit({ vote, receivedAtMs }: ReceivedVote, nowMs: number, policy: Policy): boolean {
  return vote.commitAgeMs !== null && vote.commitAgeMs + (nowMs - receivedAtMs) <= 2 * policy.probePeriodMs;
}
