import type { Arbiter, Held, Leader } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import { voteLifeMs, type ReceivedVote } from '../health/vote.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Knowledge } from './knowledge.ts';
import { decideLeadership, isConfirmed, isLeading, type LeadershipFacts, type LeadershipMove } from './leadership.ts';

export interface LeadershipOptions {
  readonly region: string;
  readonly incarnation: string;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly arbiter: Arbiter;
  readonly log: Log;
}

export interface Surroundings {
  readonly primary: string;
  readonly idle: boolean;
  /** Whether the region's database answers: a region that is down itself makes a poor leader. */
  readonly serving: (region: string) => boolean;
  readonly votes: () => ReadonlyMap<string, ReceivedVote>;
  readonly onRecord: (held: Held<Leader>) => void;
}

/** Claims, renews and hands over the leadership among controllers; one request to the arbiter at a time. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #ending = new AbortController();
  #renewedAtMs: number | null = null;
  #looked: { readonly revision: number | null; readonly atMs: number } | null = null;
  #asking: Promise<void> | null = null;
  #told: string | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  isLeading({ records }: Knowledge): boolean {
    const { region, incarnation } = this.#options;
    return isLeading({ held: records.leader, region, incarnation });
  }

  isConfirmed({ records }: Knowledge): boolean {
    const { region, incarnation, clock, policy } = this.#options;
    return isConfirmed({ held: records.leader, region, incarnation, renewedAtMs: this.#renewedAtMs, nowMs: clock.monotonicMs() }, policy);
  }

  /** Makes the next move, if one is due. Called often. */
  look(knowledge: Knowledge, surroundings: Surroundings): void {
    const { region, incarnation, policy, clock, log } = this.#options;
    const { leader } = knowledge.records;
    const leads = this.isLeading(knowledge);
    // Named by the leader before it: from the moment of seeing it.
    if (leads) this.#renewedAtMs ??= knowledge.leaderSeenAtMs;
    else this.#renewedAtMs = null;
    const who = leader === null ? null : `${leader.value.region} ${leader.value.incarnation}`;
    if (who !== this.#told && leader !== null) log.info('leader_elected', { leader: leader.value.region });
    this.#told = who;
    if (this.#asking !== null || this.#ending.signal.aborted) return;
    const { primary, idle } = surroundings;
    const facts: LeadershipFacts = {
      region,
      incarnation,
      held: leader,
      seenAtMs: knowledge.leaderSeenAtMs,
      renewedAtMs: this.#renewedAtMs,
      lookedAtMs: this.#looked !== null && this.#looked.revision === (leader?.revision ?? null) ? this.#looked.atMs : null,
      primary,
      idle,
      // Of no matter but for who may hand over: this is looked at many times a second.
      peers: leads && idle && primary === region ? this.#heirs(surroundings) : [],
      nowMs: clock.monotonicMs(),
    };
    const move = decideLeadership(facts, policy);
    if (move.kind === 'wait') return;
    this.#asking = this.#make(move, leader, surroundings.onRecord).finally(() => (this.#asking = null));
  }

  /** Other controllers that answer and are not cut off, those beside a database that answers first. */
  #heirs({ votes, serving }: Surroundings): LeadershipFacts['peers'] {
    const { clock, policy } = this.#options;
    const nowMs = clock.monotonicMs();
    return [...votes().values()]
      .filter(({ sentAtMs, vote }) => nowMs - sentAtMs <= voteLifeMs(policy) && vote.verdict !== 'blind')
      .map(({ vote }) => ({ region: vote.region, incarnation: vote.incarnation }))
      .toSorted((a, b) => Number(serving(b.region)) - Number(serving(a.region)));
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Error('stopped'));
    await this.#asking;
  }

  async #make(
    move: Exclude<LeadershipMove, { kind: 'wait' }>,
    held: Held<Leader> | null,
    onRecord: Surroundings['onRecord'],
  ): Promise<void> {
    const { arbiter, clock, policy } = this.#options;
    const sentAtMs = clock.monotonicMs();
    try {
      if (move.kind === 'look') {
        const { leader } = await arbiter.read(this.#ending.signal);
        if (leader !== null) onRecord(leader);
        this.#looked = { revision: leader?.revision ?? null, atMs: clock.monotonicMs() };
        return;
      }
      const result = await arbiter.cas('leader', held?.revision ?? null, move.value, this.#ending.signal);
      if (!result.ok) {
        if (result.reason === 'conflict' && result.current !== null) onRecord(result.current);
        return;
      }
      this.#looked = null;
      this.#renewedAtMs = move.why === 'hand-over' ? null : sentAtMs;
      onRecord({ value: move.value, revision: result.revision });
    } catch {
      // The arbiter does not answer: asked again after a pause, like everything that it did not answer.
      await clock.sleep(policy.probePeriodMs, this.#ending.signal).catch(() => undefined);
    }
  }
}
