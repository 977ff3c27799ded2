import { randomUUID } from 'node:crypto';
import { journalIsOpen, type Arbiter, type PastRun, type Snapshot } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { DnsProvider } from '../dns/dns.ts';
import { Observer } from '../health/observer.ts';
import { FOLLOWERS_PACE, Peers } from '../health/peers.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { controllerStatus } from '../health/status.ts';
import type { Vote } from '../health/vote.ts';
import { NO_LONGER_NEEDED } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpClient } from '../platform/https-client.ts';
import type { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import type { Log } from '../telemetry/log.ts';
import { EffectRunner } from './effect-runner.ts';
import { perform, type EffectContext } from './effects.ts';
import { fencedAtMs } from './fencing.ts';
import { Leadership } from './leader-loop.ts';
import { Situation } from './situation.ts';
import { Publisher } from './publisher.ts';
import { rehearse, type Rehearsal } from './rehearsal.ts';
import { StepClock } from './step-clock.ts';
import type { Event, Facts, OperatorRequest, Setting, State } from './state.ts';
import { isFresh, settingOf } from './setting.ts';
import { whyNot } from './orders.ts';
import { INITIAL, transition } from './transition.ts';
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

/** A follower asks as many others for their votes in the same time, however many there are: only who leads counts them, and who begins to lead asks everybody at once. */
const FOLLOWED_VOTES = 2;
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
  readonly #situation: Situation;
  #state: State = INITIAL;
  #wake: () => void = () => undefined;

  constructor(deps: ControllerDeps) {
    const { config, clock, client, arbiter, log } = deps;
    const { policy, region } = config;
    const incarnation = randomUUID();
    this.#deps = deps;
    this.#steps = new StepClock((step, seconds) => deps.metrics.stepTook(step, seconds));
    this.#setting = settingOf(config, incarnation);
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
      votesPace: (others) => (this.isLeading() ? 1 : Math.max(1, others / FOLLOWED_VOTES)),
      onContact: () => this.#observer.hadContact(),
      onNews: () => this.#wake(),
    });
    const situation = new Situation({ setting: this.#setting, clock, observer: this.#observer, peers: this.#peers });
    this.#situation = situation;
    const onRecord: EffectContext['onRecord'] = (name, held) => situation.takeRecord(name, held);
    this.desk = new Desk({ arbiter, log, records: () => situation.knowledge.records, wallMs: () => situation.wallMs(), onRecord });
    this.#effects = new EffectRunner({
      clock,
      retryMs: policy.probePeriodMs / 2,
      perform: (effect, signal) => perform(effect, { config, clock, arbiter, client, dns: deps.dns, onRecord }, signal),
      onEvent: (event) => this.#dispatch(event),
      onError: (effect, error) => log.warn('effect_failed', { effect: effect.kind, error }),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const onRecords = (snapshot: Snapshot): void => {
      this.#situation.takeSnapshot(snapshot);
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
    return this.#leadership.isLeading(this.#situation.knowledge);
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
      knowledge: this.#situation.knowledge,
      machine: this.#state,
      votes: this.#situation.votes(),
      databases: this.#peers.databases,
      freshMs: 2 * config.policy.suspectAfterMs,
      nowMs: clock.monotonicMs(),
      wallMs: this.#situation.wallMs(),
    });
  }

  /** Past runs, oldest first. */
  history(): readonly PastRun[] {
    return this.#situation.knowledge.records.history?.value.runs ?? [];
  }

  /** Follows an operator's order, or says why not. Only the leader can. */
  order(request: OperatorRequest): Ordered {
    const refusal = this.#whyNoOrders();
    if (refusal !== null) return refusal;
    const why = whyNot(this.#state, request, this.#situation.facts(), this.#setting);
    if (why !== null) return this.#refused(why);
    this.#dispatch({ kind: 'operator', request });
    return { ok: true, runId: this.#state.kind === 'run' ? this.#state.journal.runId : null };
  }

  /** What would be done to follow the order, by the same machine in a world where everything answers as it does now. Changes nothing. */
  rehearse(request: OperatorRequest): Rehearsed {
    const refusal = this.#whyNoOrders();
    if (refusal !== null) return refusal;
    return { ok: true, rehearsal: rehearse(this.#state, request, this.#situation.facts(), this.#setting) };
  }

  #whyNoOrders(): Extract<Ordered, { ok: false }> | null {
    if (!this.isLeading()) return this.#refused(`${this.#situation.knowledge.records.leader?.value.region ?? 'nobody'} leads now`);
    return this.#leadership.isConfirmed(this.#situation.knowledge) ? null : this.#refused('the arbiter does not answer');
  }

  #refused(why: string): Extract<Ordered, { ok: false }> {
    return { ok: false, why, leader: this.#situation.knowledge.records.leader?.value.region ?? null };
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
    const { lease, failover } = this.#situation.knowledge.records;
    const primary = lease?.value.holder ?? null;
    this.#observer.observe(primary === null ? null : { region: primary, epoch: lease?.value.epoch ?? 0 });
    const journal = failover?.value ?? null;
    // In the middle of a suspicion the next leader would not know what this one has seen of it.
    const idle = this.#state.kind === 'observe' && !journalIsOpen(journal);
    this.#leadership.look(this.#situation.knowledge, {
      // In the middle of a failover it is the region that goes down.
      primary: primary ?? (journalIsOpen(journal) ? journal?.from : undefined) ?? this.#deps.config.primary_region,
      idle,
      serving: (region) => isFresh(this.#peers.databases.get(region), this.#deps.clock.monotonicMs(), this.#deps.config.policy),
      votes: () => this.#situation.votes(),
      onRecord: (held) => this.#situation.takeRecord('leader', held),
    });
    if (!this.isLeading()) {
      // What it believed goes with the leadership; what it had begun is in the journal.
      this.#situation.follow();
      this.#state = INITIAL;
      this.#effects.want([]);
      return;
    }
    const facts = this.#situation.lead();
    this.#dispatch({ kind: 'tick' }, facts);
    if (this.#state.kind === 'observe' && primary !== null && facts.quorum.kind === 'veto') {
      this.#publisher.keep({ region: primary, epoch: lease?.value.epoch ?? 0 });
    }
  }

  #dispatch(event: Event, known?: Facts): void {
    if (!this.isLeading()) return;
    const before = this.#state;
    const { state, effects, announce } = transition(before, event, known ?? this.#situation.facts(), this.#setting);
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

  #untilFencedMs(): number {
    const { lease, replaced } = this.#situation.knowledge;
    if (this.#state.kind !== 'run' || lease === null || lease.lease.holder !== null) return Infinity;
    const untilMs = fencedAtMs(lease, replaced, this.#setting.policy) - this.#deps.clock.monotonicMs();
    return untilMs > 0 ? untilMs : Infinity;
  }
}
