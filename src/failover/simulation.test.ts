import { expect } from 'chai';
import fc from 'fast-check';
import {
  journalIsOpen,
  type Held,
  type History,
  type Journal,
  type Lease,
  type Replication,
  type SealedLog,
  type Snapshot,
} from '../arbiter/arbiter.ts';
import { PRESETS } from '../config/policy.ts';
import type { Quorum } from '../health/quorum.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { holderRemainingMs, sealQuorum } from './fencing.ts';
import { nothingKnown, takeSnapshot, type Knowledge } from './knowledge.ts';
import { ANY_LOSS_SECONDS } from './loss.ts';
import { whyNot } from './orders.ts';
import type { Effect, Event, Facts, OperatorRequest, SeenStatus, Setting, State } from './state.ts';
import { INITIAL, transition } from './transition.ts';

/**
 * The real machine in a small world of its own: an arbiter, three databases, two controllers that both believe to lead, and a schedule that fast-check
 * chooses: who is asked when, whose answer is lost, who is killed. Every rule of the protocol is checked at the moment where it would be broken.
 */
const REGIONS = ['us-central1', 'us-east1', 'europe-west1'] as const;
const policy = PRESETS.lab;

interface ModelDatabase {
  reachable: boolean;
  log: SealedLog;
  sealedEpoch: number;
  /** Sending time of the last renewal that was stored; the holder serves by it. */
  renewedAtMs: number | null;
}

class World {
  nowMs = 10_000;
  revision = 3;
  lease: Held<Lease> = { value: { epoch: 1, holder: 'us-central1', incarnation: 'p', seq: 0 }, revision: 1 };
  replication: Held<Replication> = { value: { epoch: 1, mode: 'sync', set: ['us-east1', 'europe-west1'], w: 1 }, revision: 2 };
  journal: Held<Journal> | null = null;
  history: Held<History> | null = null;
  dnsEpoch = 1;
  /** The observers see the first primary serve. */
  primaryIsHealthy = false;
  /** Too few observers are left to diagnose anything. */
  isBlind = false;
  acknowledged = 10;
  /** What the first primary believes of the commit rule: its own last write of it. */
  primarysRule: Held<Replication> = this.replication;
  readonly acquired = new Set<number>([1]);
  readonly holders = new Map<number, string>([[1, 'us-central1']]);
  readonly databases: Record<string, ModelDatabase> = Object.fromEntries(
    REGIONS.map((region) => [
      region,
      {
        reachable: true,
        log: { region, lastEpoch: 1, lastIndex: 10 },
        sealedEpoch: 0,
        renewedAtMs: region === 'us-central1' ? 10_000 : null,
      },
    ]),
  );

  snapshot(): Snapshot {
    return {
      revision: this.revision,
      lease: this.lease,
      replication: this.replication,
      failover: this.journal,
      leader: null,
      backup: null,
      maintenance: null,
      history: this.history,
    };
  }
  database(region: string): ModelDatabase {
    return this.databases[region] as ModelDatabase;
  }
  /** The first primary, as long as it may: renews, writes, ships to one member, acknowledges. */
  primaryWrites(to: string, shipped: boolean): void {
    const primary = this.database('us-central1');
    const serving =
      primary.sealedEpoch <= 1 && primary.renewedAtMs !== null && holderRemainingMs(primary.renewedAtMs, this.nowMs, policy) > 0;
    if (!serving) return;
    primary.log = { ...primary.log, lastIndex: primary.log.lastIndex + 1 };
    const member = this.database(to);
    if (!shipped || member.sealedEpoch > 1 || !this.primarysRule.value.set.includes(to)) return;
    member.log = { ...member.log, lastEpoch: 1, lastIndex: primary.log.lastIndex };
    this.acknowledged = primary.log.lastIndex;
  }
  /** Its own change of the set: only to members that have everything acknowledged, or by adding; in force once it is in the arbiter. */
  primaryChanges(set: readonly string[]): void {
    const before = this.primarysRule;
    const adds = before.value.set.every((member) => set.includes(member));
    const complete = set.every((member) => this.database(member).log.lastIndex >= this.acknowledged);
    if ((!adds && !complete) || this.replication.revision !== before.revision) return;
    this.replication = { value: { ...before.value, set: [...set] }, revision: ++this.revision };
    this.primarysRule = this.replication;
  }
  primaryRenews(): void {
    const primary = this.database('us-central1');
    if (this.lease.value.holder !== 'us-central1' || primary.sealedEpoch > 1) return;
    this.lease = { value: { ...this.lease.value, seq: this.lease.value.seq + 1 }, revision: ++this.revision };
    primary.renewedAtMs = this.nowMs;
  }

  perform(effect: Effect): Event | null {
    switch (effect.kind) {
      case 'save-journal': {
        if ((this.journal?.revision ?? null) !== effect.expected) {
          const mine = JSON.stringify(this.journal?.value) === JSON.stringify(effect.value);
          return mine
            ? { kind: 'journal-saved', seq: effect.value.seq, revision: this.journal?.revision as number }
            : { kind: 'journal-lost' };
        }
        this.journal = { value: effect.value, revision: ++this.revision };
        return { kind: 'journal-saved', seq: effect.value.seq, revision: this.revision };
      }
      case 'record-history':
        if ((this.history?.revision ?? null) !== effect.expected) return null;
        this.history = { value: effect.value, revision: ++this.revision };
        return { kind: 'history-recorded', runId: effect.run.runId };
      case 'ask-veto':
        return { kind: 'veto-answered', runId: effect.question.runId, veto: null };
      case 'lower-ttl':
        return { kind: 'ttl-lowered' };
      case 'catch-up': {
        const { reachable, log } = this.database(effect.region);
        const complete = log.lastEpoch === effect.log.lastEpoch && log.lastIndex >= effect.log.lastIndex;
        return reachable && complete ? { kind: 'caught-up', region: effect.region } : null;
      }
      case 'acquire-lease':
        if (this.lease.revision !== effect.expected) return { kind: 'lease-refused' };
        expect(effect.value.epoch, 'an epoch is one above the last').to.equal(this.lease.value.epoch + 1);
        expect(this.acquired.has(effect.value.epoch), 'an epoch is acquired once').to.equal(false);
        expect(this.journal?.value, 'the intent is in the journal before').to.include({ epoch: effect.value.epoch, step: 'ACQUIRE' });
        this.acquired.add(effect.value.epoch);
        this.lease = { value: effect.value, revision: ++this.revision };
        return { kind: 'tick' };
      case 'freeze-set':
        if (this.replication.value.epoch < effect.epoch) {
          this.replication = { value: { ...this.replication.value, epoch: effect.epoch }, revision: ++this.revision };
        }
        return { kind: 'set-frozen', replication: this.replication.value };
      case 'fence': {
        const database = this.database(effect.region);
        if (!database.reachable) return null;
        database.sealedEpoch = Math.max(database.sealedEpoch, effect.epoch);
        return { kind: 'fenced', log: database.log };
      }
      case 'seal': {
        const database = this.database(effect.region);
        if (!database.reachable || database.sealedEpoch > effect.epoch) return { kind: 'seal-failed', region: effect.region };
        database.sealedEpoch = effect.epoch;
        return { kind: 'sealed', log: database.log };
      }
      case 'promote':
        return this.promote(effect);
      case 'verify-database':
        return this.lease.value.holder === effect.region && this.database(effect.region).reachable ? { kind: 'database-verified' } : null;
      case 'route':
        if (this.dnsEpoch > effect.epoch) return { kind: 'route-superseded' };
        this.dnsEpoch = effect.epoch;
        return { kind: 'routed' };
      case 'verify-end-to-end':
        return this.dnsEpoch === effect.epoch ? { kind: 'end-to-end-verified' } : null;
      default:
        throw new RangeError(String(effect satisfies never));
    }
  }

  promote({ region, request }: Extract<Effect, { kind: 'promote' }>): Event | null {
    const database = this.database(region);
    if (!database.reachable) return { kind: 'promote-failed', region, why: 'unreachable' };
    const { value } = this.lease;
    if (value.epoch === request.epoch && value.holder === region)
      return { kind: 'promoted', region, writable: this.takeRule(region, request) };
    if (value.epoch !== request.epoch || value.holder !== null || value.incarnation !== request.runId) {
      return { kind: 'promote-failed', region, why: 'epoch-passed' };
    }
    this.checkPromotion(region, request.epoch);
    this.lease = { value: { epoch: request.epoch, holder: region, incarnation: 'p', seq: 0 }, revision: ++this.revision };
    database.log = { region, lastEpoch: request.epoch, lastIndex: database.log.lastIndex + 1 };
    return { kind: 'promoted', region, writable: this.takeRule(region, request) };
  }

  /** A new primary's own commit rule is in force, and it serves, only when a standby holds its log: before that the one that was frozen stays. */
  takeRule(region: string, { epoch, mode, set, w }: Extract<Effect, { kind: 'promote' }>['request']): boolean {
    const holder = REGIONS.find((name) => name !== region && this.database(name).reachable && this.database(name).sealedEpoch <= epoch);
    if (holder === undefined) return false;
    this.database(holder).log = { ...this.database(region).log, region: holder };
    this.replication = { value: { epoch, mode, set: [...new Set([...set, holder])], w }, revision: ++this.revision };
    return true;
  }

  checkPromotion(region: string, epoch: number): void {
    expect(this.holders.has(epoch), 'an epoch has one holder').to.equal(false);
    this.holders.set(epoch, region);
    const old = this.database('us-central1');
    // Somebody has accepted to lose whatever it lacks, and that the rest of the set is gone.
    if (this.journal?.value.acceptedLossSeconds === ANY_LOSS_SECONDS) return;
    const remainingMs = old.renewedAtMs === null ? 0 : holderRemainingMs(old.renewedAtMs, this.nowMs, policy);
    expect(old.sealedEpoch >= epoch || remainingMs === 0, 'the old holder has stopped').to.equal(true);
    const { set, w } = this.replication.value;
    const sealed = set.filter((member) => this.database(member).sealedEpoch >= epoch);
    expect(sealed.length >= sealQuorum(set, w) || old.sealedEpoch >= epoch, 'the seal quorum is reached').to.equal(true);
    expect(this.database(region).log.lastIndex, 'no acknowledged write is lost').to.be.at.least(this.acknowledged);
  }
}

class ModelController {
  state: State = INITIAL;
  effects: readonly Effect[] = [];
  knowledge: Knowledge;
  setting: Setting;
  #incarnations = 0;
  readonly #name: string;

  constructor(name: string, nowMs: number) {
    this.#name = name;
    this.knowledge = nothingKnown(nowMs);
    this.setting = this.#born();
  }
  #born(): Setting {
    const incarnation = `${this.#name}-${++this.#incarnations}`;
    return {
      policy,
      region: this.#name,
      incarnation,
      regions: REGIONS,
      primaryRegion: 'us-central1',
      promotable: REGIONS,
      replication: 'sync',
      rpoMs: 5000,
      vetoProgram: false,
    };
  }
  restart(nowMs: number): void {
    this.state = INITIAL;
    this.effects = [];
    this.knowledge = nothingKnown(nowMs);
    this.setting = this.#born();
  }
  look(world: World): void {
    this.knowledge = takeSnapshot(this.knowledge, world.snapshot(), world.nowMs);
  }
  /** Gives the order where it would be followed. */
  order(request: OperatorRequest, world: World): void {
    if (whyNot(this.state, request, this.#facts(world), this.setting) === null) this.step({ kind: 'tick' }, world, request);
  }
  step(event: Event, world: World, request: OperatorRequest | null): void {
    const given: Event = request === null ? event : { kind: 'operator', request };
    const { state, effects } = transition(this.state, given, this.#facts(world), this.setting);
    this.state = state;
    this.effects = effects;
  }
  #facts(world: World): Facts {
    const { lease, replaced, records } = this.knowledge;
    const holder = lease?.lease.holder ?? null;
    const down = holder !== null && (holder === 'us-central1' ? !world.primaryIsHealthy : !world.database(holder).reachable);
    const quorum: Quorum = down ? { kind: 'suspects', sinceMs: 0, by: ['us-east1', 'europe-west1'] } : { kind: 'veto', by: 'europe-west1' };
    const seen = REGIONS.filter((region) => world.database(region).reachable).map((region): [string, SeenStatus] => [
      region,
      { status: statusOf(world.database(region), world), askedAtMs: world.nowMs },
    ]);
    return {
      nowMs: world.nowMs,
      wallMs: world.nowMs,
      lease,
      replaced,
      replication: records.replication,
      journal: records.failover,
      maintenance: records.maintenance,
      history: records.history,
      inSyncSinceMs: new Map(),
      quorum: holder === null || world.isBlind ? { kind: 'none', why: 'no primary, or too few observers' } : quorum,
      vetoedAtMs: null,
      gateShutAtMs: null,
      waitingAtMs: new Map(),
      arbiter: { news: { heardAtMs: world.nowMs, backAtMs: null }, answers: null },
      databases: new Map(seen),
      newRunId: `run-of-${this.setting.incarnation}-at-${world.nowMs}`,
    };
  }
}

function statusOf({ log }: ModelDatabase, world: World): DatabaseStatus {
  const { region, lastEpoch, lastIndex } = log;
  const serves = world.primaryIsHealthy && region === 'us-central1';
  const standby = (name: string) => ({ matchIndex: 0, lagEntries: 0, lagMs: 0, ageMs: 0, inSync: world.database(name).reachable });
  const rest = { commitIndex: 0, appliedIndex: 0, mode: 'sync' as const, syncSet: [], w: 1 };
  return {
    region,
    incarnation: 'p',
    role: serves ? 'primary' : 'standby',
    epoch: lastEpoch,
    sealedEpoch: 0,
    writable: serves,
    lease: null,
    lastIndex,
    lastEpoch,
    ...rest,
    standbys: serves ? { 'us-east1': standby('us-east1'), 'europe-west1': standby('europe-west1') } : {},
  };
}

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick' as const), who: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('look' as const), who: fc.nat(1) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('perform' as const),
      who: fc.nat(1),
      which: fc.nat(4),
      answer: fc.constantFrom('heard', 'heard', 'lost'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('write' as const), to: fc.constantFrom('us-east1', 'europe-west1'), shipped: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      set: fc.constantFrom(['us-east1'], ['europe-west1'], ['us-east1', 'europe-west1']),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), who: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reach' as const),
      region: fc.constantFrom('us-east1', 'europe-west1'),
      reachable: fc.boolean(),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

function act(step: Action, world: World, controllers: readonly ModelController[], request: OperatorRequest | null): void {
  switch (step.kind) {
    case 'tick':
      return (controllers[step.who] as ModelController).step({ kind: 'tick' }, world, request);
    case 'look':
      return (controllers[step.who] as ModelController).look(world);
    case 'perform': {
      const controller = controllers[step.who] as ModelController;
      const effect = controller.effects[step.which % Math.max(1, controller.effects.length)];
      const event = effect === undefined ? null : world.perform(effect);
      return event === null || step.answer === 'lost' ? undefined : controller.step(event, world, null);
    }
    case 'wait':
      world.nowMs += step.ms;
      return undefined;
    case 'write':
      return world.primaryWrites(step.to, step.shipped);
    case 'renew':
      return world.primaryRenews();
    case 'set':
      return world.primaryChanges(step.set);
    case 'restart':
      return (controllers[step.who] as ModelController).restart(world.nowMs);
    case 'reach':
      world.database(step.region).reachable = step.reachable;
      return undefined;
    default:
      throw new RangeError(String(step satisfies never));
  }
}

/** A moment passes, and every effect is carried out. */
function turn(world: World, controller: ModelController): void {
  world.nowMs += 25;
  controller.look(world);
  controller.step({ kind: 'tick' }, world, null);
  for (const effect of controller.effects) {
    const event = world.perform(effect);
    if (event !== null) controller.step(event, world, null);
  }
}

/** With everything but the first primary in order, one controller must bring any run to its end. */
function finish(world: World, controller: ModelController): void {
  world.primaryIsHealthy = false;
  for (const region of ['us-east1', 'europe-west1']) world.database(region).reachable = true;
  for (let i = 0; i < 400 && (world.lease.value.holder === 'us-central1' || world.journal?.value.step !== 'DONE'); i++) {
    turn(world, controller);
  }
  expect(world.journal?.value, JSON.stringify({ journal: world.journal, lease: world.lease, state: controller.state })).to.include({
    step: 'DONE',
  });
  expect(world.lease.value.holder).to.equal(world.journal?.value.to);
  expect(world.dnsEpoch).to.equal(world.lease.value.epoch);
}

/** One region is dead for good, and an operator gives every order that brings the service back, as soon as it would be followed. */
function finishWithout(dead: string, isBlind: boolean, world: World, controller: ModelController): void {
  world.isBlind = isBlind;
  world.primaryIsHealthy = dead !== 'us-central1';
  const alive = REGIONS.filter((region) => region !== dead);
  for (const region of REGIONS) world.database(region).reachable = region !== dead;
  const isServed = (): boolean =>
    alive.some((region) => region === world.lease.value.holder) && !journalIsOpen(world.journal?.value ?? null);
  for (let i = 0; i < 4000 && !isServed(); i++) {
    turn(world, controller);
    controller.order({ kind: 'approve', by: 'anna', acceptedLossSeconds: ANY_LOSS_SECONDS }, world);
    for (const target of world.lease.value.holder === dead ? alive : [])
      controller.order({ kind: 'forced', target, by: 'anna', acceptedLossSeconds: ANY_LOSS_SECONDS }, world);
  }
  expect(isServed(), JSON.stringify({ journal: world.journal, lease: world.lease, state: controller.state })).to.equal(true);
}

describe('failover, simulated', function () {
  // Hundreds of worlds take a second, and many on a machine that plays a game day beside.
  this.timeout(60_000);

  const run = (request: OperatorRequest | null) =>
    fc.property(fc.array(action, { minLength: 20, maxLength: 200 }), fc.boolean(), (schedule, cut) => {
      const world = new World();
      world.primaryIsHealthy = request?.kind === 'switchover';
      world.database('us-central1').reachable = !cut;
      const controllers = ['us-east1', 'europe-west1'].map((name) => new ModelController(name, world.nowMs));
      for (const step of schedule) act(step, world, controllers, request);
      finish(world, controllers[0] as ModelController);
    });

  it('loses nothing, has one holder an epoch and comes to an end, whatever is lost, late or killed', () => {
    fc.assert(run(null), { numRuns: 400 });
  });

  it('comes to an end whichever region is dead for good, as long as people give the orders that it asks for', () => {
    const orders = [null, { kind: 'switchover', target: 'europe-west1', by: 'anna' } as const] as const;
    const without = fc.record({
      dead: fc.constantFrom(null, null, ...REGIONS),
      isBlind: fc.boolean(),
      turns: fc.nat(60),
      request: fc.constantFrom(...orders),
    });
    const property = fc.property(
      fc.array(action, { maxLength: 60 }),
      fc.boolean(),
      without,
      (schedule, cut, { dead, request, isBlind, turns }) => {
        const world = new World();
        world.primaryIsHealthy = request !== null;
        world.database('us-central1').reachable = !cut;
        const controllers = ['us-east1', 'europe-west1'].map((name) => new ModelController(name, world.nowMs));
        for (const step of schedule) act(step, world, controllers, request);
        const leader = controllers[0] as ModelController;
        leader.look(world);
        if (request !== null) leader.order(request, world);
        for (let i = 0; i < turns && world.journal?.value.step !== 'DONE'; i++) turn(world, leader);
        // Whoever was just chosen, where none is named.
        finishWithout(dead ?? world.journal?.value.to ?? 'us-east1', isBlind, world, leader);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  it('does so too when an operator asks for it again and again', () => {
    fc.assert(run({ kind: 'failover', target: 'europe-west1', by: 'anna' }), { numRuns: 150 });
  });

  it('does so too when it is planned: the target has everything, or the old primary goes on, or it is lost and it becomes a failover', () => {
    fc.assert(run({ kind: 'switchover', target: 'europe-west1', by: 'anna' }), { numRuns: 400 });
  });
});
