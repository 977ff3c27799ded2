import { randomUUID } from 'node:crypto';
import { journalIsOpen, type Arbiter, type PastRun, type Snapshot } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { DnsProvider } from '../dns/dns.ts';
import { Observer } from '../health/observer.ts';
import { Peers } from '../health/peers.ts';
import { judgeQuorum, type Quorum } from '../health/quorum.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { controllerStatus } from '../health/status.ts';
import { type ReceivedVote, type Vote } from '../health/vote.ts';
import { NO_LONGER_NEEDED } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/https-client.ts';
import type { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import type { Log } from '../telemetry/log.ts';
import { hear, NEVER_HEARD } from './arbiter-contact.ts';
import { EffectRunner } from './effect-runner.ts';
import { perform } from './effects.ts';
import { fencedAtMs } from './fencing.ts';
import { likelyCandidate, noteShut } from './gate.ts';
import { nothingKnown, takeRecord, takeSnapshot, type Knowledge } from './knowledge.ts';
import { Leadership } from './leader-loop.ts';
import { Publisher } from './publisher.ts';
import { rehearse, type Rehearsal } from './rehearsal.ts';
import { StepClock } from './step-clock.ts';
import type { Event, Facts, OperatorRequest, Setting, State } from './state.ts';
import { isFresh, settingOf } from './setting.ts';
import { whyNot } from './orders.ts';
import { INITIAL, transition } from './transition.ts';
import { NOBODY_IN_SYNC, watchInSync, type InSync } from './in-sync.ts';
import { Desk } from './desk.ts';

export interface ControllerDeps {
  readonly config: EngineConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly arbiter: Arbiter;
  readonly dns: DnsProvider;
  readonly client: HttpClient;
  readonly metrics: Pick<ControllerMetrics, 'stepTook' | 'failoverEnded'>;
}

/** Those who do not decide ask so many times more seldom. */
const FOLLOWERS_PACE = 4;
/** Beginning a step late costs recovery time, looking often costs nearly nothing: so many looks per probe period. */
const LOOKS_PER_PERIOD = 4;

const RESULTS: Readonly<Record<string, 'verified' | 'unverified' | 'aborted' | 'undone'>> = {
  failover_verified: 'verified',
  failover_unverified: 'unverified',
  failover_aborted: 'aborted',
  failover_undone: 'undone',
};

export type Ordered =
  { readonly ok: true; readonly runId: string | null } | { readonly ok: false; readonly why: string; readonly leader: string | null };
export type Rehearsed = { readonly ok: true; readonly rehearsal: Rehearsal } | Extract<Ordered, { ok: false }>;

/** One region's controller: observes, votes, and acts where it leads. `run` once; it ends when the signal aborts. */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #setting: Setting;
  readonly #observer: Observer;
  readonly #peers: Peers;
  readonly #leadership: Leadership;
  readonly #publisher: Publisher;
  readonly #effects: EffectRunner;
  readonly #steps: StepClock;
  /** What operators write into the arbiter: pause, resume, acknowledge. */
  readonly desk: Desk;
  readonly #began: { readonly wallMs: number; readonly monotonicMs: number };
  #inSync: InSync = NOBODY_IN_SYNC;
  #knowledge: Knowledge;
  #state: State = INITIAL;
  #vetoedAtMs: number | null = null;
  #gateShutAtMs: number | null = null;
  #leadsSinceMs: number | null = null;
  #arbiter = NEVER_HEARD;
  #wake: () => void = () => undefined;

  constructor(deps: ControllerDeps) {
    const { config, clock, client, arbiter, log } = deps;
    const { policy, region } = config;
    const incarnation = randomUUID();
    this.#deps = deps;
    this.#steps = new StepClock((step, seconds) => deps.metrics.stepTook(step, seconds));
    this.#setting = settingOf(config, incarnation);
    this.#began = { wallMs: clock.wall().getTime(), monotonicMs: clock.monotonicMs() };
    this.#knowledge = nothingKnown(clock.monotonicMs());
    this.desk = new Desk({
      arbiter,
      log,
      records: () => this.#knowledge.records,
      wallMs: () => this.#wallMs(),
      onRecord: (name, held) => this.#learn(takeRecord(this.#knowledge, name, held, clock.monotonicMs())),
    });
    const databases = Object.fromEntries(Object.entries(config.regions).map(([name, urls]) => [name, urls.database]));
    this.#observer = new Observer({ region, incarnation, policy, clock, client, databases });
    this.#leadership = new Leadership({ region, incarnation, policy, clock, arbiter, log });
    this.#publisher = new Publisher({ config, clock, dns: deps.dns, log });
    this.#peers = new Peers({
      region,
      incarnation,
      regions: config.regions,
      policy,
      clock,
      client,
      pace: () => (!this.isLeading() ? FOLLOWERS_PACE : this.#state.kind === 'run' ? 1 / LOOKS_PER_PERIOD : 1),
      onContact: () => this.#observer.hadContact(),
      onNews: () => this.#wake(),
    });
    this.#effects = new EffectRunner({
      clock,
      retryMs: policy.probePeriodMs / 2,
      perform: (effect, signal) =>
        perform(
          effect,
          {
            config,
            clock,
            arbiter,
            client,
            dns: deps.dns,
            onRecord: (name, held) => this.#learn(takeRecord(this.#knowledge, name, held, clock.monotonicMs())),
          },
          signal,
        ),
      onEvent: (event) => this.#dispatch(event),
      onError: (effect, error) => log.warn('effect_failed', { effect: effect.kind, error }),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const onRecords = (snapshot: Snapshot): void => {
      this.#learn(takeSnapshot(this.#knowledge, snapshot, this.#deps.clock.monotonicMs()));
      this.#wake();
    };
    try {
      await Promise.all([
        this.#deps.arbiter.watch(onRecords, signal),
        this.#observer.run(signal),
        this.#peers.run(signal),
        this.#decide(signal),
      ]);
    } finally {
      await Promise.all([this.#effects.stop(), this.#publisher.stop(), this.#leadership.stop()]);
    }
  }

  isLeading(): boolean {
    return this.#leadership.isLeading(this.#knowledge);
  }

  /** This observer's vote; asking is a sign of life of whoever asks. */
  vote(): Vote {
    this.#observer.hadContact();
    return this.#observer.vote();
  }

  status(): ControllerStatus {
    const { config, clock } = this.#deps;
    return controllerStatus({
      region: config.region,
      regions: this.#setting.regions,
      leading: this.isLeading(),
      knowledge: this.#knowledge,
      machine: this.#state,
      votes: this.#votes(),
      databases: this.#peers.databases,
      freshMs: 2 * config.policy.suspectAfterMs,
      nowMs: clock.monotonicMs(),
      wallMs: this.#wallMs(),
    });
  }

  /** Past runs, oldest first. */
  history(): readonly PastRun[] {
    return this.#knowledge.records.history?.value.runs ?? [];
  }

  /** Follows an operator's order, or says why not. Only the leader can. */
  order(request: OperatorRequest): Ordered {
    const refusal = this.#whyNoOrders();
    if (refusal !== null) return refusal;
    const why = whyNot(this.#state, request, this.#facts(), this.#setting);
    if (why !== null) return this.#refused(why);
    this.#dispatch({ kind: 'operator', request });
    return { ok: true, runId: this.#state.kind === 'run' ? this.#state.journal.runId : null };
  }

  /** What would be done to follow the order, by the same machine in a world where everything answers as it does now. Changes nothing. */
  rehearse(request: OperatorRequest): Rehearsed {
    const refusal = this.#whyNoOrders();
    if (refusal !== null) return refusal;
    return { ok: true, rehearsal: rehearse(this.#state, request, this.#facts(), this.#setting) };
  }

  #whyNoOrders(): Extract<Ordered, { ok: false }> | null {
    if (!this.isLeading()) return this.#refused(`${this.#knowledge.records.leader?.value.region ?? 'nobody'} leads now`);
    return this.#leadership.isConfirmed(this.#knowledge) ? null : this.#refused('the arbiter does not answer');
  }

  #refused(why: string): Extract<Ordered, { ok: false }> {
    return { ok: false, why, leader: this.#knowledge.records.leader?.value.region ?? null };
  }

  async #decide(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#deps;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const waking = new AbortController();
      this.#wake = () => waking.abort(NO_LONGER_NEEDED);
      this.#look();
      const waitMs = Math.min(config.policy.probePeriodMs / LOOKS_PER_PERIOD, this.#untilFencedMs());
      await clock.sleep(Math.max(1, waitMs), waking.signal).catch(() => undefined);
    }
  }

  #look(): void {
    const { lease, failover } = this.#knowledge.records;
    const primary = lease?.value.holder ?? null;
    this.#observer.observe(primary === null ? null : { region: primary, epoch: lease?.value.epoch ?? 0 });
    const journal = failover?.value ?? null;
    // In the middle of a suspicion the next leader would not know what this one has seen of it.
    const idle = this.#state.kind === 'observe' && !journalIsOpen(journal);
    this.#leadership.look(this.#knowledge, {
      // In the middle of a failover it is the region that goes down.
      primary: primary ?? (journalIsOpen(journal) ? journal?.from : undefined) ?? this.#deps.config.primary_region,
      idle,
      serving: (region) => isFresh(this.#peers.databases.get(region), this.#deps.clock.monotonicMs(), this.#deps.config.policy),
      votes: () => this.#votes(),
      onRecord: (held) => this.#learn(takeRecord(this.#knowledge, 'leader', held, this.#deps.clock.monotonicMs())),
    });
    if (!this.isLeading()) {
      if (this.#observer.vote().verdict === 'suspect') this.#watchGate(this.#facts());
      // What it believed goes with the leadership; what it had begun is in the journal.
      this.#state = INITIAL;
      this.#inSync = NOBODY_IN_SYNC;
      this.#leadsSinceMs = null;
      this.#effects.want([]);
      return;
    }
    const { clock, config } = this.#deps;
    const now = { ms: clock.monotonicMs(), freshMs: 2 * config.policy.suspectAfterMs };
    this.#inSync = watchInSync(this.#inSync, primary, this.#peers.databases.get(primary ?? ''), now);
    const facts = this.#watchGate(this.#facts());
    this.#dispatch({ kind: 'tick' }, facts);
    if (this.#state.kind === 'observe' && primary !== null && facts.quorum.kind === 'veto') {
      this.#publisher.keep({ region: primary, epoch: lease?.value.epoch ?? 0 });
    }
  }

  /** Also where another leads, as whoever leads next has to know. Those who do not lead ask more seldom, and what they know of the standbys is older. */
  #watchGate(facts: Facts): Facts {
    const { suspectAfterMs, probePeriodMs } = this.#deps.config.policy;
    this.#leadsSinceMs = this.isLeading() ? (this.#leadsSinceMs ?? facts.nowMs) : null;
    const followedMs = 2 * FOLLOWERS_PACE * probePeriodMs;
    const asksOften = this.#leadsSinceMs !== null && facts.nowMs - this.#leadsSinceMs > followedMs;
    this.#gateShutAtMs = noteShut(this.#gateShutAtMs, facts, suspectAfterMs + (asksOften ? 0 : followedMs));
    return { ...facts, gateShutAtMs: this.#gateShutAtMs };
  }

  #dispatch(event: Event, known?: Facts): void {
    if (!this.isLeading()) return;
    const before = this.#state;
    const { state, effects, announce } = transition(before, event, known ?? this.#facts(), this.#setting);
    this.#state = state;
    const correlationId = state.kind === 'run' ? state.journal.runId : before.kind === 'run' ? before.journal.runId : undefined;
    for (const { action, details } of announce) {
      this.#deps.log.info(action, details, correlationId);
      const result = RESULTS[action];
      if (result !== undefined) this.#deps.metrics.failoverEnded(result);
    }
    this.#steps.at(state.kind === 'run' ? state.journal.step : null, this.#deps.clock.monotonicMs());
    this.#effects.want(effects);
    if (state !== before && event.kind !== 'tick') this.#wake();
  }

  /** Only the arbiter's own answers teach anything, so it was heard. */
  #learn(knowledge: Knowledge): void {
    this.#arbiter = hear(this.#arbiter, this.#deps.clock.monotonicMs(), this.#deps.config.policy);
    this.#knowledge = knowledge;
  }

  #facts(): Facts {
    const { clock } = this.#deps;
    const { lease, replaced, records } = this.#knowledge;
    const nowMs = clock.monotonicMs();
    const quorum = this.#quorum();
    if (quorum.kind === 'veto') this.#vetoedAtMs = nowMs;
    return {
      nowMs,
      wallMs: this.#wallMs(),
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
      databases: this.#peers.databases,
      newRunId: randomUUID(),
    };
  }

  /** A wall clock that jumps after the start changes nothing. */
  #wallMs(): number {
    return this.#began.wallMs + (this.#deps.clock.monotonicMs() - this.#began.monotonicMs);
  }

  #quorum(): Quorum {
    const { clock, config } = this.#deps;
    const lease = this.#knowledge.lease?.lease;
    if (lease === undefined || lease.holder === null) return { kind: 'none', why: 'there is no primary' };
    const nowMs = clock.monotonicMs();
    const candidate = likelyCandidate({ nowMs, databases: this.#peers.databases }, lease.holder, this.#setting);
    const observers = this.#setting.regions;
    return judgeQuorum({ observers, votes: this.#votes(), primary: lease.holder, epoch: lease.epoch, candidate }, nowMs, config.policy);
  }

  #votes(): ReadonlyMap<string, ReceivedVote> {
    const nowMs = this.#deps.clock.monotonicMs();
    return new Map(this.#peers.votes).set(this.#setting.incarnation, { vote: this.#observer.vote(), sentAtMs: nowMs, receivedAtMs: nowMs });
  }

  #untilFencedMs(): number {
    const { lease, replaced } = this.#knowledge;
    if (this.#state.kind !== 'run' || lease === null || lease.lease.holder !== null) return Infinity;
    const untilMs = fencedAtMs(lease, replaced, this.#setting.policy) - this.#deps.clock.monotonicMs();
    return untilMs > 0 ? untilMs : Infinity;
  }
}
