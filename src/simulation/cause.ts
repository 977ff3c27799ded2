import type { Journal, Lease, Replication } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import { voteLifeMs, type Vote } from '../health/vote.ts';
import { hear, NEVER_SILENT, silentSinceMs, sinceBackMs, type Contact } from './contact.ts';
import { TOLERANCE } from './tolerance.ts';
import { Violation } from './violation.ts';

interface HeardVote {
  readonly body: Buffer;
  readonly sentAtMs: number;
  readonly atMs: number;
}

/** What is in the arbiter as a run begins. */
interface KnownAtBegin {
  readonly lease: Lease | null;
  readonly replication: Replication | null;
  readonly pausedKnown: boolean;
  /** Since when who leads does. */
  readonly ledSinceMs: number;
}

/**
 * Whether a failover that begins by itself has its cause, judged from what was really seen where: commits that came to observers, votes that came to the one who
 * decided. Counts anew what the engine counted, from the messages.
 */
export class Cause {
  readonly #policy: Policy;
  readonly #regions: readonly string[];
  /** The block period is wall time: it outlives every process. Where clocks are set while it lasts, it is not judged. */
  readonly #clocksJump: boolean;
  /** Per observer, when its canary commits were answered. */
  readonly #commits = new Map<string, number[]>();
  /** `by<from` → the last votes. */
  readonly #votes = new Map<string, HeardVote[]>();
  /** `by<from` → when each answer of a database was asked for and heard. */
  readonly #statuses = new Map<string, { readonly sentAtMs: number; readonly atMs: number }[]>();
  /** When each region came into the sync set last. */
  readonly #joinedAtMs = new Map<string, number>();
  readonly #begun = new Set<string>();
  readonly #beganAtMs = new Map<string, number>();
  /** News or answers of the arbiter that came to anybody, and answers to each controller, with the silences in which a primary may have stopped for it. */
  readonly #news: Contact;
  readonly #answers = new Map<string, Contact>();
  /** When the last automatic failover that was done had begun. */
  #lastDoneMs: number | null = null;

  constructor(policy: Policy, regions: readonly string[], clocksJump: boolean) {
    this.#clocksJump = clocksJump;
    this.#policy = policy;
    this.#news = { ...NEVER_SILENT, silenceMs: policy.holderStopsMs - policy.leaseRenewMs };
    this.#regions = regions;
  }

  sawCommit(region: string, atMs: number): void {
    keep(this.#commits, region, atMs, 200);
  }

  heardVote(by: string, from: string, vote: HeardVote): void {
    keep(this.#votes, `${by}<${from}`, vote, 60);
  }

  /** Whether this very process in `from` has given `by` its vote so lately that it may count. */
  answeredLately(by: string, from: string, incarnation: string, nowMs: number): boolean {
    const sinceMs = nowMs - voteLifeMs(this.#policy) / TOLERANCE;
    const votes = this.#votes.get(`${by}<${from}`) ?? [];
    return votes.some(({ body, sentAtMs }) => sentAtMs >= sinceMs && (JSON.parse(body.toString()) as Vote).incarnation === incarnation);
  }

  heardStatus(by: string, from: string, sentAtMs: number, atMs: number): void {
    keep(this.#statuses, `${by}<${from}`, { sentAtMs, atMs }, 200);
  }

  /**
   * The arbiter's answer, or its news of a change, has come to somebody. Where it is there, somebody is told something all the time: who hears no news asks. Answers alone are not as dense: where those who write
   * hear nothing any more, those who read the news of it have no reason to ask.
   */
  arbiterSpoke(nowMs: number): void {
    hear(this.#news, nowMs);
  }

  /** A controller's request was answered. */
  arbiterAnswered(by: string, nowMs: number): void {
    hear(this.#answersTo(by), nowMs);
  }

  #answersTo(by: string): Contact {
    const { holderStopsMs, leaseRenewMs, leaderRenewMs, arbiterRpcMs } = this.#policy;
    const silenceMs = holderStopsMs - leaseRenewMs + leaderRenewMs + 2 * arbiterRpcMs;
    const contact = this.#answers.get(by) ?? { ...NEVER_SILENT, silenceMs };
    this.#answers.set(by, contact);
    return contact;
  }

  /** The controller of `by` asks, for the first time, to write this into the journal. */
  begins(by: string, journal: Journal, known: KnownAtBegin, nowMs: number): void {
    const name = `${journal.runId} ${journal.epoch}`;
    if (journal.step !== 'ACQUIRE' || journal.tier !== 'automatic' || this.#begun.has(name)) return;
    this.#begun.add(name);
    // Somebody else's run that is only adopted was judged when it began.
    if (known.lease === null || known.lease.epoch !== journal.epoch - 1) return;
    // A new run, or one that begins anew with the next epoch: who knows of a pause begins neither.
    if (known.pausedKnown) throw new Violation('no-failover-during-a-pause', `${by} began ${journal.runId} and knew that it is paused`);
    if (!this.#beganAtMs.has(journal.runId)) this.#noFlapping(by, journal, nowMs);
    this.#noVeto(by, journal, nowMs);
    // Who accepts a loss waits for no standby.
    if (known.replication?.mode === 'sync' && journal.acceptedLossSeconds === null) this.#noReturn(by, journal, known.replication, nowMs);
    this.#noArbitersReturn(by, journal, known.ledSinceMs, nowMs);
    this.#quorum(by, journal, nowMs);
  }

  /** The sync set is another one. */
  setStored(set: readonly string[], before: readonly string[], nowMs: number): void {
    for (const region of set) if (!before.includes(region)) this.#joinedAtMs.set(region, nowMs);
  }

  /** A run is over. */
  ended({ runId, tier, step }: Journal): void {
    if (tier === 'automatic' && step === 'DONE') this.#lastDoneMs = this.#beganAtMs.get(runId) ?? this.#lastDoneMs;
  }

  #noFlapping(by: string, { runId }: Journal, nowMs: number): void {
    const last = this.#lastDoneMs;
    this.#beganAtMs.set(runId, nowMs);
    if (this.#clocksJump || last === null || nowMs - last >= this.#policy.antiFlapMs * TOLERANCE) return;
    throw new Violation('no-flapping', `${by} began ${runId} ${Math.round(nowMs - last)} ms after the last automatic failover`);
  }

  /** A primary that had only waited for the arbiter serves in a moment. Where there are news, but no answers, only who leads and asks all the time can know it: the silence began with an answer while it led. */
  #noArbitersReturn(by: string, { runId }: Journal, ledSinceMs: number, nowMs: number): void {
    const { suspectAfterMs, confirmMs } = this.#policy;
    const answers = this.#answersTo(by);
    const ledThen = ledSinceMs <= silentSinceMs(answers, nowMs);
    const backMs = Math.min(sinceBackMs(this.#news, nowMs), ledThen ? sinceBackMs(answers, nowMs) : Infinity);
    if (backMs >= (suspectAfterMs + confirmMs) * TOLERANCE) return;
    const what = `${by} began ${runId} ${Math.round(backMs)} ms after the arbiter was back`;
    throw new Violation('no-failover-in-the-moment-of-the-arbiters-return', what);
  }

  #noVeto(by: string, journal: Journal, nowMs: number): void {
    const { probePeriodMs, confirmMs } = this.#policy;
    for (const from of this.#regions) {
      for (const { body, sentAtMs, atMs } of this.#votes.get(`${by}<${from}`) ?? []) {
        if (atMs <= nowMs - confirmMs * TOLERANCE || atMs - sentAtMs > voteLifeMs(this.#policy) * TOLERANCE) continue;
        const vote = JSON.parse(body.toString()) as Vote;
        const concerns = vote.primary === journal.from && vote.epoch === journal.epoch - 1;
        if (concerns && vote.commitAgeMs !== null && vote.commitAgeMs <= 2 * probePeriodMs * TOLERANCE) {
          throw new Violation(
            'no-failover-against-a-veto',
            `${by} began ${journal.runId} ${Math.round(nowMs - atMs)} ms after ${from} said that it sees commits`,
          );
        }
      }
    }
  }

  /**
   * The old primary may have waited for just those standbys without which the failover could not begin: when they come back it needs a while to be seen serving. What was away
   * for so long as no pace of asking explains was away. For one that it took into the set only after that it did not wait.
   */
  #noReturn(by: string, { runId, from }: Journal, { set, w }: Replication, nowMs: number): void {
    const { suspectAfterMs, probePeriodMs, confirmMs } = this.#policy;
    const awayMs = 2 * suspectAfterMs + 16 * probePeriodMs;
    const steady = set.filter((region) => {
      if (region === from) return false;
      const heard = this.#statuses.get(`${by}<${region}`) ?? [];
      const back = heard.findLast(({ sentAtMs }, i) => sentAtMs - (heard[i - 1]?.sentAtMs ?? 0) > awayMs);
      const isNew = back !== undefined && (this.#joinedAtMs.get(region) ?? 0) >= back.sentAtMs;
      return back === undefined || isNew || nowMs - back.atMs >= confirmMs * TOLERANCE;
    });
    if (steady.length >= set.length - w + 1) return;
    throw new Violation(
      'no-failover-in-the-moment-of-a-return',
      `${by} began ${runId} (from ${from}) as a standby came back that it may have waited for`,
    );
  }

  #quorum(by: string, journal: Journal, nowMs: number): void {
    const suspects = this.#regions.filter(
      (region) => this.#wasQuiet(region, nowMs) && (region === by || this.#saysSuspect(by, region, journal, nowMs)),
    );
    if (suspects.length * 2 > this.#regions.length && suspects.some((region) => region !== journal.from)) return;
    throw new Violation(
      'no-failover-without-quorum',
      `${by} began ${journal.runId} (from ${journal.from}) on the word of ${suspects.join(', ') || 'nobody'} of ${this.#regions.length}`,
    );
  }

  /** Whether there was a time without commits that was long enough, that began long enough ago for the window of confirmation, and not very long ago. */
  #wasQuiet(region: string, nowMs: number): boolean {
    const { suspectAfterMs, confirmMs } = this.#policy;
    const neededMs = suspectAfterMs * TOLERANCE;
    const beganBeforeMs = nowMs - (suspectAfterMs + confirmMs) * TOLERANCE;
    const seen = [0, ...(this.#commits.get(region) ?? [])];
    let laterMs = nowMs;
    for (let i = seen.length - 1; i >= 0 && laterMs > nowMs - 8 * neededMs; i--) {
      const atMs = seen[i] as number;
      if (laterMs - atMs >= neededMs && atMs <= beganBeforeMs) return true;
      laterMs = atMs;
    }
    return false;
  }

  #saysSuspect(by: string, region: string, journal: Journal, nowMs: number): boolean {
    const last = this.#votes.get(`${by}<${region}`)?.at(-1);
    if (last === undefined || nowMs - last.sentAtMs > voteLifeMs(this.#policy) / TOLERANCE) return false;
    const vote = JSON.parse(last.body.toString()) as Vote;
    return vote.verdict === 'suspect' && vote.primary === journal.from && vote.epoch === journal.epoch - 1;
  }
}

/** The last ones are kept, half of `most` at least. */
function keep<T>(lists: Map<string, T[]>, name: string, value: T, most: number): void {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  list.push(value);
  if (list.length > most) list.splice(0, most / 2);
}
