import { expect } from 'chai';
import fc from 'fast-check';
import type { Entry } from '../database/database.ts';
import { sealQuorum } from '../failover/fencing.ts';
import { decideAppend, resumeAfterMismatch } from './append.ts';
import { committableIndex, type CommitRule } from './commit-rule.ts';
import { commonPoint, endOf, epochAt, isLonger, withEntry, type EpochTable, type LogEnd } from './epochs.ts';
import { isSafeToTake } from './replication-rule.ts';
import { planSetChange } from './sync-set.ts';

/**
 * The pure decisions of the protocol put together as the programs put them, in a world where every message may be lost, late or go unanswered, every
 * compare-and-swap may be undecided, every process may crash, and the old primary acts until its lease is over. No clock, no disk, no network: only what is decided.
 */
const REGIONS = ['a', 'b', 'c'] as const;
type Region = (typeof REGIONS)[number];

interface Node {
  log: Entry[];
  /** What would survive a crash. */
  durable: number;
  commit: number;
  sealed: number;
}
interface Reign {
  readonly region: Region;
  readonly epoch: number;
  readonly first: number;
  rule: CommitRule;
  /** Of the record as this primary wrote it last: what its compare-and-swap names. */
  revision: number;
  readonly match: Map<string, number>;
  readonly prev: Map<string, number>;
  leased: boolean;
  /** Whether its own record is in the arbiter. */
  taken: boolean;
  /** The record that it found, and the set that it was given. */
  readonly before: { readonly set: readonly string[] } | null;
}
interface World {
  readonly nodes: Record<Region, Node>;
  /** The arbiter's replication record. */
  record: { epoch: number; set: readonly string[]; revision: number };
  reign: Reign;
  failover: { readonly epoch: number; readonly sealed: Map<Region, LogEnd> } | null;
  readonly acknowledged: Entry[];
}

function tableOf(log: readonly Entry[]): EpochTable {
  return log.reduce<EpochTable>((table, entry) => withEntry(table, entry.epoch, entry.index), []);
}

function stateOf(node: Node): Parameters<typeof decideAppend>[0] {
  const epochs = tableOf(node.log);
  return {
    log: endOf(epochs, node.log.length),
    durableIndex: node.durable,
    baseIndex: 0,
    epochs,
    commitIndex: node.commit,
    sealedEpoch: node.sealed,
  };
}

function others(region: Region): readonly Region[] {
  return REGIONS.filter((other) => other !== region);
}

function begin(world: World, region: Region, epoch: number, set: readonly string[]): void {
  const node = world.nodes[region];
  node.sealed = Math.max(node.sealed, epoch);
  const first = node.log.length + 1;
  const prev = new Map<string, number>(others(region).map((other) => [other, node.log.length]));
  const rule: CommitRule = { mode: 'sync', set, proposed: null, w: 1 };
  const before = epoch === 1 ? null : world.record;
  world.reign = { region, epoch, first, rule, revision: 0, match: new Map(), prev, leased: true, taken: false, before };
  node.log.push({ epoch, index: first, op: 'noop', key: '', value: '' });
}

function takeRule(world: World): void {
  const { reign } = world;
  const holders = others(reign.region).filter((region) => (reign.match.get(region) ?? 0) >= reign.first);
  const next = { ...reign.rule, set: [...new Set([...reign.rule.set, ...holders])] };
  const before = reign.before === null ? null : { mode: 'sync' as const, set: reign.before.set, w: 1 };
  if (!isSafeToTake(before, next, holders) || world.record.epoch > reign.epoch) return;
  world.record = { epoch: reign.epoch, set: next.set, revision: world.record.revision + 1 };
  reign.revision = world.record.revision;
  reign.rule = next;
  reign.taken = true;
}

function ship(world: World, to: Region, batch: number, answered: boolean): void {
  const { region, epoch, prev, match } = world.reign;
  const [from, target] = [world.nodes[region], world.nodes[to]];
  const at = Math.min(prev.get(to) ?? 0, from.log.length);
  const own = tableOf(from.log);
  const request = {
    epoch,
    region,
    commitIndex: from.commit,
    lastIndex: from.log.length,
    prev: { epoch: epochAt(own, from.log.length, at) ?? 0, index: at },
    entries: from.log.slice(at, at + batch),
  };
  const decision = decideAppend(stateOf(target), request);
  if (decision.kind === 'accept') {
    target.log = [...(decision.truncateAfter === null ? target.log : target.log.slice(0, decision.truncateAfter)), ...decision.entries];
    // A standby answers when it is durable.
    target.durable = target.log.length;
    target.sealed = Math.max(target.sealed, epoch);
    expect(target.commit, 'never cuts what is committed').to.be.at.most(target.log.length);
    target.commit = Math.max(target.commit, decision.commitIndex);
    if (answered) {
      match.set(to, Math.max(match.get(to) ?? 0, decision.matchIndex));
      prev.set(to, decision.matchIndex);
    }
  } else if (answered && decision.reply.kind === 'mismatch') {
    const common = commonPoint(own, from.log.length, decision.reply.log.epochs, decision.reply.log.lastIndex);
    expect(resumeAfterMismatch(common, 0, decision.reply.log.commitIndex).kind, 'in sync mode nothing committed ever diverges').to.equal(
      'append',
    );
    prev.set(to, common);
  }
}

function advance(world: World): void {
  const { region, rule, first, match, leased, taken } = world.reign;
  const node = world.nodes[region];
  if (!leased || !taken) return;
  const index = committableIndex({ rule, durableIndex: node.durable, epochFirstIndex: first, matchIndex: match });
  if (index === null || index <= node.commit) return;
  world.acknowledged.push(...node.log.slice(node.commit, index));
  node.commit = index;
}

function changeSet(world: World, silent: number): void {
  const { reign } = world;
  const node = world.nodes[reign.region];
  const views = others(reign.region).map((region, i) => ({
    region,
    matchIndex: reign.match.get(region) ?? 0,
    ageMs: (silent >> i) & 1 ? 1000 : 0,
  }));
  const plan = planSetChange(
    reign.rule,
    views,
    { commitIndex: node.commit, lastIndex: node.log.length },
    { syncDropAfterMs: 500, caughtUpEntries: 256 },
  );
  if (plan === null || !reign.leased || node.commit < reign.first) return;
  reign.rule = { ...reign.rule, proposed: plan.set };
}

/** The compare-and-swap reaches the arbiter (or its answer reaches us only now). */
function decideSet(world: World): void {
  const { reign } = world;
  if (!reign.taken) takeRule(world);
  if (reign.rule.proposed === null) return;
  const stored = world.record.revision === reign.revision;
  if (stored) {
    world.record = { ...world.record, set: reign.rule.proposed, revision: world.record.revision + 1 };
    reign.revision = world.record.revision;
  }
  reign.rule = { ...reign.rule, set: stored ? reign.rule.proposed : reign.rule.set, proposed: null };
}

/** A failover goes one step on: freeze, seal one after the other, and promote when enough are sealed and the old lease is over. */
function failOver(world: World, pick: Region): void {
  if (world.failover === null) {
    const epoch = world.reign.epoch + 1;
    world.record = { ...world.record, epoch, revision: world.record.revision + 1 };
    world.failover = { epoch, sealed: new Map() };
    return;
  }
  const { epoch, sealed } = world.failover;
  const { set } = world.record;
  if (sealed.size < sealQuorum(set, 1)) {
    const region = set.includes(pick) ? pick : (set.find((member) => !sealed.has(member as Region)) as Region);
    world.nodes[region].sealed = Math.max(world.nodes[region].sealed, epoch);
    // What it answers then is what the choice is made by, however late.
    sealed.set(region, stateOf(world.nodes[region]).log);
    // A primary is fenced by a seal too.
    if (region === world.reign.region) world.reign.leased = false;
    return;
  }
  world.reign.leased = false;
  const ends = [...sealed].map(([region, end]) => ({ region, end }));
  const best = ends.reduce((a, b) => (isLonger(b.end, a.end) ? b : a)).region;
  // Those who were sealed along, as far as they are: any set will do.
  const next = others(best).filter((region) => sealed.has(region) || (set.length + best.length) % 2 === 0);
  world.failover = null;
  begin(world, best, epoch, next);
}

function restartPrimary(world: World): void {
  const { region, epoch } = world.reign;
  const node = world.nodes[region];
  node.log = node.log.slice(0, node.durable);
  node.commit = Math.min(node.commit, node.log.length);
  if (world.failover !== null) {
    world.reign.leased = false;
    return;
  }
  begin(
    world,
    region,
    epoch + 1,
    world.record.set.filter((member) => member !== region),
  );
}

type Command = { readonly do: number; readonly to: number; readonly size: number; readonly flag: boolean };
const command: fc.Arbitrary<Command> = fc.record({ do: fc.nat(19), to: fc.nat(2), size: fc.nat(4), flag: fc.boolean() });

function perform(world: World, { do: what, to, size, flag }: Command): void {
  const { region, epoch, leased } = world.reign;
  const node = world.nodes[region];
  const target = others(region)[to % 2] ?? 'b';
  if (what < 5 && leased) node.log.push({ epoch, index: node.log.length + 1, op: 'put', key: `${epoch}`, value: `${node.log.length + 1}` });
  else if (what < 11) ship(world, target, size, flag);
  else if (what < 13) node.durable = Math.max(node.durable, Math.min(node.log.length, node.durable + size));
  else if (what < 15) changeSet(world, to);
  else if (what < 17) decideSet(world);
  else if (what < 19) failOver(world, REGIONS[to] ?? 'a');
  else restartPrimary(world);
  advance(world);
}

function holds(world: World): void {
  if (world.failover !== null) return;
  const { log } = world.nodes[world.reign.region];
  for (const entry of world.acknowledged) expect(log[entry.index - 1], `acknowledged ${entry.epoch}:${entry.index}`).to.deep.equal(entry);
}

describe('replication protocol', () => {
  it('keeps everything acknowledged in the log of every later primary, whatever is lost, late, undecided or crashes', function () {
    this.timeout(60_000);
    let failovers = 0;
    let acknowledged = 0;
    fc.assert(
      fc.property(fc.array(command, { minLength: 20, maxLength: 120 }), (commands) => {
        const empty = (): Node => ({ log: [], durable: 0, commit: 0, sealed: 0 });
        const world: World = {
          nodes: { a: empty(), b: empty(), c: empty() },
          record: { epoch: 0, set: [], revision: 0 },
          reign: null as unknown as Reign,
          failover: null,
          acknowledged: [],
        };
        begin(world, 'a', 1, ['b', 'c']);
        takeRule(world);
        for (const next of commands) {
          perform(world, next);
          holds(world);
        }
        failovers += world.reign.epoch - 1;
        acknowledged += world.acknowledged.length;
      }),
      { numRuns: 3000 },
    );
    // A world in which nothing happens would prove nothing.
    expect(failovers).to.be.greaterThan(1000);
    expect(acknowledged).to.be.greaterThan(1000);
  });
});
