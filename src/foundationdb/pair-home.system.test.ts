import { expect } from 'chai';
import { EngineCluster, type Finished } from '../testing/engine-cluster.ts';
import { leaderOf, untilHolds } from '../testing/engine-waits.ts';
import type { FoundationdbCluster } from '../testing/foundationdb-cluster.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { findPairTools, FoundationdbPair, type PairTools } from '../testing/foundationdb-pair.ts';
import { REGIONS, type Region } from '../testing/test-config.ts';
import { readByFdbcli } from './fdbcli.ts';

const tools = findPairTools();
const [CENTRAL, EAST, WEST] = REGIONS;
/** The third region has no cluster of its own. */
const HOMES = { [CENTRAL]: 'central', [EAST]: 'east', [WEST]: 'east' };
const LIMIT_MS = 120_000;
/** How far a copy may be behind on a machine that others use. */
const BUSY_SECONDS = 60;

/** A whole engine of three regions, of which the first serves from the one real cluster and the others from its copy by fdbdr. */
describe(`a service that moves with a pair of FoundationDB clusters${typeof tools === 'string' ? `: skipped: ${tools}` : ''}`, function () {
  this.timeout(300_000);
  let pair: FoundationdbPair;
  let engine: EngineCluster;
  const acknowledged: string[] = [];
  before(async function () {
    if (typeof tools === 'string') return this.skip();
    const { fdbcli, fdbdr, library } = tools;
    pair = await FoundationdbPair.start(tools);
    const clusters = { central: pair.east.clusterFile, east: pair.west.clusterFile };
    const database = {
      ...foundationdbConfig({ clusterFile: clusters.central, library }, { [CENTRAL]: 'dc1' }),
      pair: clusters,
      pair_homes: HOMES,
      pair_programs: { fdbcli, fdbdr },
    };
    engine = await EngineCluster.prepare('async', undefined, { rpo_seconds: BUSY_SECONDS, database });
    engine.startAll();
    pair.startAgents();
    await until('serving', async () => (await put('first')) === CENTRAL);
    await until('a leader', async () => (await leader()) !== null);
  });
  after(async () => {
    await engine?.stop();
    await pair?.stop();
  });

  const until = (what: string, holds: () => Promise<boolean>): Promise<void> => untilHolds(engine, what, holds, LIMIT_MS);
  /** Which region acknowledged it. */
  async function put(key: string): Promise<unknown> {
    for (const region of REGIONS) {
      const answer = await engine.ask('api', region, `/v1/kv/${key}`, 'x');
      if (answer?.status !== 200) continue;
      acknowledged.push(key);
      return (answer.json as { readonly region: string }).region;
    }
    return null;
  }
  const status = async (region: Region): Promise<Readonly<Record<string, unknown>> | undefined> => {
    const answer = await engine.ask('database', region, '/v1/status');
    return answer?.status === 200 ? (answer.json as Readonly<Record<string, unknown>>) : undefined;
  };
  async function primary(): Promise<Region | undefined> {
    const all = await Promise.all(REGIONS.map(async (region) => [region, (await status(region))?.['role']] as const));
    return all.find(([, role]) => role === 'primary')?.[0];
  }
  const leader = () => leaderOf(engine);
  /** `a` to `b` is in sync with whoever serves. */
  const isInSync = async (region: Region): Promise<boolean> => {
    const serving = await primary();
    const standbys = serving === undefined ? undefined : (await status(serving))?.['standbys'];
    return (standbys as Readonly<Record<string, { readonly inSync: boolean }>> | undefined)?.[region]?.inSync === true;
  };
  const orderPair = (...args: readonly string[]): Promise<Finished> => {
    const { fdbcli, fdbdr } = tools as PairTools;
    return engine.command('pair', ...args, '--fdbcli', fdbcli, '--fdbdr', fdbdr);
  };
  async function read(cluster: FoundationdbCluster, commands: string): Promise<string> {
    const { fdbcli } = tools as PairTools;
    const cli = { program: fdbcli, clusterFile: cluster.clusterFile };
    const output = await readByFdbcli(cli, commands, 20_000, new AbortController().signal);
    if (output === null) throw new Error(`cannot be read: ${commands}`);
    return output;
  }
  async function keysIn(cluster: FoundationdbCluster): Promise<ReadonlySet<string>> {
    const output = await read(cluster, 'option on READ_LOCK_AWARE; getrangekeys coditect/data/ coditect/data0 100000');
    return new Set([...output.matchAll(/^`coditect\/data\/(.*)'$/gm)].map(([, key]) => key as string));
  }
  async function expectAllIn(cluster: FoundationdbCluster): Promise<void> {
    const there = await keysIn(cluster);
    expect(acknowledged.filter((key) => !there.has(key))).to.deep.equal([]);
  }

  it('finds the copy in sync once there is one; the regions that have it answer as standbys, of what has come there', async () => {
    expect(await isInSync(EAST)).to.equal(false);
    await until('agents', async () => (await orderPair('start', 'east', '--dry-run')).code === 0);
    const { code, out } = await orderPair('start', 'east');
    expect(code, out).to.equal(0);
    await until('in sync', () => isInSync(EAST));
    const copy = await status(EAST);
    expect(copy).to.include({ role: 'standby', lastEpoch: 1, mode: 'async', writable: false });
    expect(copy?.['upstream'], 'never takes itself for complete').to.include({ region: CENTRAL, epoch: 1, lagEntries: 1 });
    expect(await isInSync(WEST)).to.equal(true);
  });

  it('moves by order with a switch, while somebody writes: nothing is lost, and the other way round is the copy then', async () => {
    await until('agents both ways', async () => (await orderPair('switch', 'east', '--dry-run')).code === 0);
    const ending = new AbortController();
    const writing = (async () => {
      for (let i = 0; !ending.signal.aborted; i++) await put(`moved-${i}`);
    })();
    try {
      const { code, out } = await engine.command('switchover', `--target=${EAST}`, '--by=ada');
      expect(code, `${out}\n${engine.transcript().slice(-6000)}`).to.equal(0);
      await until('serving in the east', async () => (await put('after')) === EAST);
    } finally {
      ending.abort();
      await writing;
    }
    await expectAllIn(pair.west);
    await until('a copy the other way', () => isInSync(CENTRAL));
  });

  it('fails over by itself to the copy where the cluster of the region that serves is lost, and tells what may be', async () => {
    await until('shipped', async () => (await keysIn(pair.east)).has('after'));
    // What the lag was the leader has to have heard: else it asks people.
    await until('known to the leader', async () => (await leader())?.['state'] === 'Normal');
    pair.west.signal('dc1', 'SIGKILL');
    engine.signal('database', EAST, 'SIGKILL');
    engine.signal('database', WEST, 'SIGKILL');
    await until('serving in the first region again', async () => (await put('alone')) === CENTRAL);
    const there = await keysIn(pair.east);
    for (const key of ['first', 'moved-0', 'after', 'alone']) expect(there.has(key), key).to.equal(true);
  });

  it('fences what was left behind when it comes back, which is no standby until somebody makes it the copy again', async () => {
    await pair.west.restart('dc1');
    engine.startProgram('database', EAST);
    engine.startProgram('database', WEST);
    await until('answers', async () => (await status(EAST))?.['role'] === 'standby');
    await until('fenced', async () => Number((await status(EAST))?.['sealedEpoch']) > Number((await status(EAST))?.['lastEpoch']));
    expect(await isInSync(EAST)).to.equal(false);
    expect((await orderPair('start', 'central', '--erase=central')).out).to.match(/is what the gateways use/);
    const { code, out } = await orderPair('start', 'east', '--erase=east');
    expect(code, out).to.equal(0);
    await until('in sync again', () => isInSync(EAST));
    const ranges = 'option on READ_SYSTEM_KEYS; option on READ_LOCK_AWARE; getrangekeys \\xff/logRanges/ \\xff/logRanges0 10';
    expect(await read(pair.west, ranges), 'it logs for no copy of it, which has ended')
      .to.match(/Range limited/)
      .and.not.match(/^`/m);
    await until('all there', async () => (await keysIn(pair.west)).has('alone'));
    expect(await primary()).to.equal(CENTRAL);
  });
});
