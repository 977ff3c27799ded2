import { z } from 'zod';
import type { Policy } from '../config/policy.ts';
import type { Detection } from './detector.ts';

/**
 * What an observer tells the others (`GET /v1/vote`). Ages are on its own clock at the moment of answering; who receives it places them on the receiver's clock, so no clocks are
 * compared. `blind`: it reaches nobody at all, so that its silence says nothing about the primary. `unknown`: it observes no primary.
 */
export const voteShape = z.object({
  region: z.string(),
  incarnation: z.string(),
  /** Grows with every answer of one incarnation: an older one is not taken. */
  seq: z.number().int().nonnegative(),
  primary: z.string().nullable(),
  epoch: z.number().int().nonnegative(),
  verdict: z.enum(['healthy', 'suspect', 'blind', 'unknown']),
  suspectForMs: z.number().nonnegative().nullable(),
  commitAgeMs: z.number().nonnegative().nullable(),
});
export type Vote = z.infer<typeof voteShape>;

/** A vote with when, on the receiver's clock, it was asked for and came. */
export interface ReceivedVote {
  readonly vote: Vote;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

export interface Voter {
  readonly region: string;
  readonly incarnation: string;
  readonly seq: number;
  readonly blind: boolean;
}

export function castVote(voter: Voter, detection: Detection | null, nowMs: number): Vote {
  const { region, incarnation, seq, blind } = voter;
  const suspectSinceMs = detection?.suspectSinceMs ?? null;
  const committedAtMs = detection?.lastCommitAtMs ?? null;
  const opinion = detection === null ? 'unknown' : suspectSinceMs === null ? 'healthy' : 'suspect';
  return {
    region,
    incarnation,
    seq,
    primary: detection?.primary ?? null,
    epoch: detection?.epoch ?? 0,
    verdict: blind && opinion !== 'healthy' ? 'blind' : opinion,
    suspectForMs: suspectSinceMs === null ? null : Math.max(0, nowMs - suspectSinceMs),
    commitAgeMs: committedAtMs === null ? null : Math.max(0, nowMs - committedAtMs),
  };
}

/** The votes with a new one of this controller taken in; one that was overtaken on the way is dropped. */
export function takeVote(
  votes: ReadonlyMap<string, ReceivedVote>,
  controller: string,
  received: ReceivedVote,
): ReadonlyMap<string, ReceivedVote> {
  const { vote } = received;
  const before = votes.get(controller);
  if (before !== undefined && before.vote.incarnation === vote.incarnation && vote.seq <= before.vote.seq) return votes;
  return new Map(votes).set(controller, received);
}

/** One vote a region, the freshest: an observer is a region, however many controllers it has. */
export function freshestByRegion(votes: Iterable<ReceivedVote>): readonly ReceivedVote[] {
  const freshest = new Map<string, ReceivedVote>();
  for (const received of votes) {
    const before = freshest.get(received.vote.region);
    if (before === undefined || received.sentAtMs > before.sentAtMs) freshest.set(received.vote.region, received);
  }
  return [...freshest.values()];
}

/** How old a vote may be, from asking for it: one missed round, then it is none. */
export function voteLifeMs(policy: Policy): number {
  return 2 * policy.probePeriodMs + policy.probeTimeoutMs;
}
