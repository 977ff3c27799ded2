import type { Arbiter, Held, Leader } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import { voteLifeMs, type ReceivedVote } from '../health/vote.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Knowledge } from './knowledge.ts';
import { decideLeadership, heirOf, isConfirmed, isLeading, type LeadershipFacts, type LeadershipMove } from './leadership.ts';

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
  #leadsSinceMs: number | null = null;
  #looked: { readonly revision: number | null; readonly atMs: number } | null = null;
  #asking: Promise<void> | null = null;
  #told: Leader | null = null;
  #stopped = false;

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
    const nowMs = clock.monotonicMs();
    this.#leadsSinceMs = leads ? (this.#leadsSinceMs ?? nowMs) : null;
    const who = leader?.value ?? null;
    if (who !== null && (who.incarnation !== this.#told?.incarnation || who.region !== this.#told.region))
      log.info('leader_elected', { leader: who.region });
    this.#told = who;
    if (this.#asking !== null || this.#stopped) return;
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
      // Of no matter but for who may hand over: this is looked at many times a second. Who has answered before this one led may have ended since, as whoever named it has.
      peers:
        this.#leadsSinceMs !== null && idle && primary === region
          ? this.#heirs(surroundings, Math.max(this.#leadsSinceMs, nowMs - voteLifeMs(policy)))
          : [],
      nowMs,
    };
    const move = decideLeadership(facts, policy);
    if (move.kind === 'wait') return;
    this.#asking = this.#make(move, leader, surroundings.onRecord).finally(() => (this.#asking = null));
  }

  /** Other controllers that answer and are not cut off, those beside a database that answers first. */
  #heirs({ votes, serving }: Surroundings, sinceMs: number): LeadershipFacts['peers'] {
    return [...votes().values()]
      .filter(({ sentAtMs, vote }) => sentAtMs >= sinceMs && vote.verdict !== 'blind')
      .map(({ vote }) => ({ region: vote.region, incarnation: vote.incarnation }))
      .toSorted((a, b) => Number(serving(b.region)) - Number(serving(a.region)));
  }

  /**
   * Who leads and ends names another, so that nobody has to wait until its record has not changed for long enough; also in the middle of a failover, which whoever leads finds in the journal. What the
   * arbiter does not answer in its time is left: then it is taken over as from one that was killed. `ask` asks all for their votes: who has just ended itself, as in a rollout, must not be named.
   */
  async stop(knowledge: () => Knowledge, surroundings: () => Surroundings, ask: () => Promise<void>): Promise<void> {
    this.#stopped = true;
    await this.#asking; // a renewal that is under way: the record is another one then
    const { leader } = knowledge().records;
    if (leader !== null && this.isLeading(knowledge())) await this.#handOver(leader, surroundings, ask);
    this.#ending.abort(new Error('stopped'));
  }

  /** `held` as it was before anybody was asked: where somebody else took it meanwhile, the arbiter refuses. */
  async #handOver(held: Held<Leader>, surroundings: () => Surroundings, ask: () => Promise<void>): Promise<void> {
    const { region, clock, policy } = this.#options;
    const askedAtMs = clock.monotonicMs();
    await ask();
    const around = surroundings();
    // Who itself stood still meanwhile knows only who answered before.
    const sinceMs = Math.max(askedAtMs, clock.monotonicMs() - voteLifeMs(policy));
    const heir = heirOf({ region, primary: around.primary, peers: this.#heirs(around, sinceMs) });
    if (heir !== null) await this.#make({ kind: 'write', why: 'hand-over', value: heir }, held, around.onRecord);
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
      if (!this.#stopped) await clock.sleep(policy.probePeriodMs, this.#ending.signal).catch(() => undefined);
    }
  }
}
