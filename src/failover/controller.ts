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
import { perform, type EffectContext } from './effects.ts';
import { fencedAtMs } from './fencing.ts';
import { Leadership, type Surroundings as LeadershipSurroundings } from './leader-loop.ts';
import { Machine } from './machine.ts';
import { Situation } from './situation.ts';
import { Publisher } from './publisher.ts';
import { rehearse, type Rehearsal } from './rehearsal.ts';
import type { OperatorRequest, Setting } from './state.ts';
import { isFresh, settingOf } from './setting.ts';
import { whyNot } from './orders.ts';
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
  readonly #machine: Machine;
  /** What operators write into the arbiter: pause, resume, acknowledge. */
  readonly desk: Desk;
  readonly #situation: Situation;
  #wake: () => void = () => undefined;
  #ending: AbortSignal | null = null;

  constructor(deps: ControllerDeps) {
    const { config, clock, client, arbiter, log } = deps;
    const { policy, region } = config;
    const incarnation = randomUUID();
    this.#deps = deps;
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
      pace: () => (!this.isLeading() ? FOLLOWERS_PACE : this.#machine.state.kind === 'run' ? 1 / LOOKS_PER_PERIOD : 1),
      votesPace: (others) => (this.isLeading() ? 1 : Math.max(1, others / FOLLOWED_VOTES)),
      onContact: () => this.#observer.hadContact(),
      onNews: () => this.#wake(),
    });
    const situation = new Situation({ setting: this.#setting, clock, observer: this.#observer, peers: this.#peers });
    this.#situation = situation;
    const onRecord: EffectContext['onRecord'] = (name, held) => situation.takeRecord(name, held);
    this.desk = new Desk({ arbiter, log, records: () => situation.knowledge.records, wallMs: () => situation.wallMs(), onRecord });
    this.#machine = new Machine({
      setting: this.#setting,
      clock,
      log,
      metrics: deps.metrics,
      isLeading: () => this.isLeading(),
      facts: () => situation.facts(),
      perform: (effect, signal) => perform(effect, { config, clock, arbiter, client, dns: deps.dns, onRecord }, signal),
      onProgress: () => this.#wake(),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#ending = signal;
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
      // Whoever leads next finds nothing of this one's still under way.
      await Promise.all([this.#machine.stop(), this.#publisher.stop()]);
      await this.#leadership.stop(
        () => this.#situation.knowledge,
        () => this.#surroundings(),
        () => this.#peers.askVotes(),
      );
    }
  }

  isLeading(): boolean {
    return this.#leadership.isLeading(this.#situation.knowledge);
  }

  /** This observer's vote; asking is a sign of life of whoever asks. Null: it ends and observes no more, so nobody may take it for one who could lead next. */
  vote(): Vote | null {
    if (this.#isEnding()) return null;
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
      machine: this.#machine.state,
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
    const why = whyNot(this.#machine.state, request, this.#situation.facts(), this.#setting);
    if (why !== null) return this.#refused(why);
    this.#machine.take({ kind: 'operator', request });
    const { state } = this.#machine;
    return { ok: true, runId: state.kind === 'run' ? state.journal.runId : null };
  }

  /** What would be done to follow the order, by the same machine in a world where everything answers as it does now. Changes nothing. */
  rehearse(request: OperatorRequest): Rehearsed {
    const refusal = this.#whyNoOrders();
    if (refusal !== null) return refusal;
    return { ok: true, rehearsal: rehearse(this.#machine.state, request, this.#situation.facts(), this.#setting) };
  }

  #whyNoOrders(): Extract<Ordered, { ok: false }> | null {
    if (this.#isEnding()) return this.#refused('this controller ends');
    if (!this.isLeading()) return this.#refused(`${this.#situation.knowledge.records.leader?.value.region ?? 'nobody'} leads now`);
    return this.#leadership.isConfirmed(this.#situation.knowledge) ? null : this.#refused('the arbiter does not answer');
  }

  #refused(why: string): Extract<Ordered, { ok: false }> {
    return { ok: false, why, leader: this.#situation.knowledge.records.leader?.value.region ?? null };
  }

  #isEnding(): boolean {
    return this.#ending?.aborted === true;
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
    const { lease } = this.#situation.knowledge.records;
    const primary = lease?.value.holder ?? null;
    this.#observer.observe(primary === null ? null : { region: primary, epoch: lease?.value.epoch ?? 0 });
    this.#leadership.look(this.#situation.knowledge, this.#surroundings());
    if (!this.isLeading()) {
      this.#situation.follow();
      this.#machine.forget();
      return;
    }
    const facts = this.#situation.lead();
    this.#machine.take({ kind: 'tick' }, facts);
    if (this.#machine.state.kind === 'observe' && primary !== null && facts.quorum.kind === 'veto') {
      this.#publisher.keep({ region: primary, epoch: lease?.value.epoch ?? 0 });
    }
  }

  #surroundings(): LeadershipSurroundings {
    const { lease, failover } = this.#situation.knowledge.records;
    const journal = failover?.value ?? null;
    return {
      // In the middle of a failover it is the region that goes down.
      primary: lease?.value.holder ?? (journalIsOpen(journal) ? journal?.from : undefined) ?? this.#deps.config.primary_region,
      // In the middle of a suspicion the next leader would not know what this one has seen of it.
      idle: this.#machine.state.kind === 'observe' && !journalIsOpen(journal),
      serving: (region) => isFresh(this.#peers.databases.get(region), this.#deps.clock.monotonicMs(), this.#deps.config.policy),
      votes: () => this.#situation.votes(),
      onRecord: (held) => this.#situation.takeRecord('leader', held),
    };
  }

  #untilFencedMs(): number {
    const { lease, replaced } = this.#situation.knowledge;
    if (this.#machine.state.kind !== 'run' || lease === null || lease.lease.holder !== null) return Infinity;
    const untilMs = fencedAtMs(lease, replaced, this.#setting.policy) - this.#deps.clock.monotonicMs();
    return untilMs > 0 ? untilMs : Infinity;
  }
}
