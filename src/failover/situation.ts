import { randomUUID } from 'node:crypto';
import type { Held, RecordName, Records, Snapshot } from '../arbiter/arbiter.ts';
import type { Observer } from '../health/observer.ts';
import { FOLLOWERS_PACE, type Peers } from '../health/peers.ts';
import { judgeQuorum, type Quorum } from '../health/quorum.ts';
import type { ReceivedVote } from '../health/vote.ts';
import type { Clock } from '../platform/clock.ts';
import { beginToAsk, hearAnswer, hearNews, NEVER_HEARD } from './arbiter-contact.ts';
import { likelyCandidate, noteShut } from './gate.ts';
import { NOBODY_IN_SYNC, watchInSync, type InSync } from './in-sync.ts';
import { nothingKnown, takeRecord, takeSnapshot, type Knowledge } from './knowledge.ts';
import type { Facts, Setting } from './state.ts';

export interface SituationOptions {
  readonly setting: Setting;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly peers: Peers;
}

/** What a controller knows, and since when: the arbiter's records, votes, databases, and what it noted of them as time went by. Decides nothing. */
export class Situation {
  readonly #options: SituationOptions;
  readonly #began: { readonly wallMs: number; readonly monotonicMs: number };
  #knowledge: Knowledge;
  #arbiter = NEVER_HEARD;
  #inSync: InSync = NOBODY_IN_SYNC;
  #vetoedAtMs: number | null = null;
  #gateShutAtMs: number | null = null;
  #leadsSinceMs: number | null = null;

  constructor(options: SituationOptions) {
    const { clock } = options;
    this.#options = options;
    this.#began = { wallMs: clock.wall().getTime(), monotonicMs: clock.monotonicMs() };
    this.#knowledge = nothingKnown(clock.monotonicMs());
  }

  get knowledge(): Knowledge {
    return this.#knowledge;
  }

  /** What the arbiter answered to a request of this controller. */
  takeRecord<K extends RecordName>(name: K, held: Held<Records[K]>): void {
    const { clock, setting } = this.#options;
    this.#arbiter = hearAnswer(this.#arbiter, clock.monotonicMs(), setting.policy);
    this.#knowledge = takeRecord(this.#knowledge, name, held, clock.monotonicMs());
  }

  /** What the arbiter told of itself. */
  takeSnapshot(snapshot: Snapshot): void {
    const { clock, setting } = this.#options;
    this.#arbiter = hearNews(this.#arbiter, clock.monotonicMs(), setting.policy);
    this.#knowledge = takeSnapshot(this.#knowledge, snapshot, clock.monotonicMs());
  }

  /** The wall clock as it was at the start, and what was counted since: one that jumps later changes nothing. */
  wallMs(): number {
    return this.#began.wallMs + (this.#options.clock.monotonicMs() - this.#began.monotonicMs);
  }

  votes(): ReadonlyMap<string, ReceivedVote> {
    const { clock, peers, observer, setting } = this.#options;
    const nowMs = clock.monotonicMs();
    return new Map(peers.votes).set(setting.incarnation, { vote: observer.vote(), sentAtMs: nowMs, receivedAtMs: nowMs });
  }

  facts(): Facts {
    const { clock, peers } = this.#options;
    const { lease, replaced, records } = this.#knowledge;
    const nowMs = clock.monotonicMs();
    const quorum = this.#quorum(nowMs);
    if (quorum.kind === 'veto') this.#vetoedAtMs = nowMs;
    return {
      nowMs,
      wallMs: this.wallMs(),
      lease,
      replaced,
      replication: records.replication,
      journal: records.failover,
      maintenance: records.maintenance,
      history: records.history,
      inSyncSinceMs: this.#inSync.sinceMs,
      quorum,
      vetoedAtMs: this.#vetoedAtMs,
      gateShutAtMs: this.#gateShutAtMs,
      arbiter: this.#arbiter,
      databases: peers.databases,
      waitingAtMs: peers.waitingAtMs,
      newRunId: randomUUID(),
    };
  }

  #quorum(nowMs: number): Quorum {
    const { peers, setting } = this.#options;
    const lease = this.#knowledge.lease?.lease;
    if (lease === undefined || lease.holder === null) return { kind: 'none', why: 'there is no primary' };
    const candidate = likelyCandidate({ nowMs, databases: peers.databases }, lease.holder, setting);
    const question = { observers: setting.regions, votes: this.votes(), primary: lease.holder, epoch: lease.epoch, candidate };
    return judgeQuorum(question, nowMs, setting.policy);
  }

  /** Where another leads: what counts only for a leader is forgotten, what the next one has to know is kept. */
  follow(): void {
    this.#inSync = NOBODY_IN_SYNC;
    this.#leadsSinceMs = null;
    this.#arbiter = { ...this.#arbiter, answers: null };
    // From when on it sees no commits, not only when it suspects for that: a standby that the primary waits for may come back in between.
    const { commitAgeMs } = this.#options.observer.vote();
    if (commitAgeMs === null || commitAgeMs > 2 * this.#options.setting.policy.probePeriodMs) this.#watchGate(this.facts());
  }

  /** What a leader decides by now. */
  lead(): Facts {
    const { clock, peers, setting } = this.#options;
    const primary = this.#knowledge.records.lease?.value.holder ?? null;
    const now = { ms: clock.monotonicMs(), freshMs: 2 * setting.policy.suspectAfterMs };
    this.#inSync = watchInSync(this.#inSync, primary, peers.databases.get(primary ?? ''), now);
    if (this.#leadsSinceMs === null) {
      peers.askNow();
      this.#arbiter = beginToAsk(this.#arbiter, now.ms);
    }
    this.#leadsSinceMs ??= now.ms;
    const facts = this.facts();
    this.#watchGate(facts);
    return { ...facts, gateShutAtMs: this.#gateShutAtMs };
  }

  /** Those who do not lead ask more seldom, and what they know of the standbys is older. */
  #watchGate(facts: Facts): void {
    const { suspectAfterMs, probePeriodMs } = this.#options.setting.policy;
    const followedMs = 2 * FOLLOWERS_PACE * probePeriodMs;
    const asksOften = this.#leadsSinceMs !== null && facts.nowMs - this.#leadsSinceMs > followedMs;
    this.#gateShutAtMs = noteShut(this.#gateShutAtMs, facts, suspectAfterMs + (asksOften ? 0 : followedMs));
  }
}
