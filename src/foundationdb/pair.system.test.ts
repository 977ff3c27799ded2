import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Database, Transaction } from 'foundationdb';
import { EngineCluster, type Finished } from '../testing/engine-cluster.ts';
import { leaderOf, untilHolds } from '../testing/engine-waits.ts';
import type { FoundationdbCluster } from '../testing/foundationdb-cluster.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { findPairTools, FoundationdbPair, type PairTools } from '../testing/foundationdb-pair.ts';
import { REGIONS } from '../testing/test-config.ts';
import { openCluster } from './client.ts';
import { viewOf } from './cluster-view.ts';
import { readByFdbcli } from './fdbcli.ts';
import { lockUid } from './lock-uid.ts';
import { unlockUid } from './lock.ts';
import { parseRecords, READ_RECORDS, type CopyRecord } from './pair-records.ts';
import { SPECIAL_KEY_SPACE_ENABLE_WRITES } from './option-codes.ts';
import { transact } from './transaction.ts';

const tools = findPairTools();
const OURS = lockUid({ system: 'backup of orders', epoch: 3 });
const LIMIT_MS = 90_000;
/** How far a copy may be behind on a machine that others use. */
const BUSY_SECONDS = 60;
const LOCKED = Buffer.from('\xff\xff/management/db_locked', 'latin1');
/** The least that an abort waits for; not for a person to type. */
const SHORT = '--patience=30s';
const RUNBOOK = join(import.meta.dirname, '../../../docs/runbooks/foundationdb-pair.md');

/** A whole engine of three regions on the one of two real clusters, with fdbdr between them. */
describe(`a pair of FoundationDB clusters${typeof tools === 'string' ? `: skipped: ${tools}` : ''}`, function () {
  this.timeout(300_000);
  let pair: FoundationdbPair;
  let engine: EngineCluster;
  before(async function () {
    if (typeof tools === 'string') return this.skip();
    pair = await FoundationdbPair.start(tools);
    const [east, west] = [pair.east.clusterFile, pair.west.clusterFile];
    const own = foundationdbConfig(
      { clusterFile: east, library: tools.library },
      Object.fromEntries(REGIONS.map((region) => [region, region])),
    );
    engine = await EngineCluster.prepare('sync', undefined, { rpo_seconds: BUSY_SECONDS, database: { ...own, pair: { east, west } } });
    engine.startAll();
    await until('serving', () => put('first'));
    await until('a leader', async () => (await leader()) !== null);
  });
  after(async () => {
    await engine?.stop();
    await pair?.stop();
  });

  const until = (what: string, holds: () => Promise<boolean>): Promise<void> => untilHolds(engine, what, holds, LIMIT_MS);
  /** Through the region that serves, whichever it is. */
  async function put(key: string): Promise<boolean> {
    for (const region of REGIONS) if ((await engine.ask('api', region, `/v1/kv/${key}`, 'x'))?.status === 200) return true;
    return false;
  }
  const leader = () => leaderOf(engine);
  /** What fdbdr locks the west under. */
  let uidOfWest: string | null = null;
  /** Commands that were done. */
  const typed = new Set<string>();
  const run = async (...args: readonly string[]): Promise<Finished> => {
    const { fdbcli, fdbdr } = tools as PairTools;
    const finished = await engine.command('pair', ...args, '--fdbcli', fdbcli, '--fdbdr', fdbdr);
    if (finished.code === 0) typed.add(['coditect-dr pair', ...args.filter((arg) => arg !== SHORT)].join(' '));
    return finished;
  };
  /** Ends with this exit code, and says that. */
  async function expectPair(args: readonly string[], code: number, says: RegExp): Promise<string> {
    const { code: found, out } = await run(...args);
    expect(found, `${args.join(' ')}\n${out}`).to.equal(code);
    expect(out).to.match(says);
    return out;
  }
  async function read(cluster: FoundationdbCluster, commands: string): Promise<string> {
    const { fdbcli } = tools as PairTools;
    const output = await readByFdbcli(
      { program: fdbcli, clusterFile: cluster.clusterFile },
      commands,
      20_000,
      new AbortController().signal,
    );
    if (output === null) throw new Error(`cannot be read: ${commands}`);
    return output;
  }
  async function keysIn(cluster: FoundationdbCluster): Promise<ReadonlySet<string>> {
    const output = await read(cluster, 'option on READ_LOCK_AWARE; getrangekeys coditect/data/ coditect/data0 100000');
    return new Set([...output.matchAll(/^`coditect\/data\/(.*)'$/gm)].map(([, key]) => key as string));
  }
  const recordOf = async (cluster: FoundationdbCluster): Promise<CopyRecord | null> => parseRecords(await read(cluster, READ_RECORDS));
  async function at<T>(cluster: FoundationdbCluster, work: (db: Database) => Promise<T>): Promise<T> {
    const db = openCluster({ clusterFile: cluster.clusterFile, library: (tools as PairTools).library, tls: null });
    try {
      return await work(db);
    } finally {
      db.close();
    }
  }
  /** As anybody can, under any UID. */
  async function lock(cluster: FoundationdbCluster, uid: string): Promise<void> {
    const locking = async (transaction: Transaction) => {
      transaction.setOption(SPECIAL_KEY_SPACE_ENABLE_WRITES);
      transaction.set(LOCKED, uid);
      return { commit: true, value: null };
    };
    expect((await at(cluster, (db) => transact(db, locking, { timeoutMs: LIMIT_MS }))).kind).to.equal('done');
  }
  async function lockOf(cluster: FoundationdbCluster): Promise<string | null> {
    const { locked, lockUid: uid } = viewOf(await cluster.status());
    return locked === false ? null : uid;
  }
  /** Metrics of the gateway that serves. */
  async function shownOfPair(): Promise<{ readonly lagSeconds: number | null; readonly runs: number | null }> {
    const all = await Promise.all(REGIONS.map((region) => engine.ask('database', region, '/metrics')));
    const shown = all.map((answer) => answer?.text ?? '').join('\n');
    const numberOf = (name: string): number | null => {
      const [, value] = new RegExp(`^${name}\\{[^}]*standby="west"[^}]*\\} (\\S+)$`, 'm').exec(shown) ?? [];
      return value === undefined ? null : Number(value);
    };
    return { lagSeconds: numberOf('fdb_replication_lag_seconds'), runs: numberOf('fdb_pair_copy_running') };
  }
  const isFresh = async (): Promise<boolean> => (await run('status')).code === 0;
  const notPaused = (): Promise<void> => until('not paused', async () => (await leader())?.['paused'] === undefined);

  it('is refused where no agents run, where a lock is not fdbdr’s, and where somebody’s data would go; nothing is changed by that', async () => {
    await expectPair(['status'], 1, /both take writes/);
    await expectPair(['switch', 'west'], 1, /is no copy of east/);
    await expectPair(['start', 'west'], 1, /no agent that copies from east to west/);
    await expectPair(['start', 'east'], 1, /is what the gateways use/);
    await expectPair(['start', 'north'], 2, /there are east, west/);
    pair.startAgents();
    await pair.west.cli('writemode on; set other/key 1');
    await until('agents', async () => /has data, which would be lost/.test((await run('start', 'west')).out));
    await expectPair(['start', 'west', '--erase=east'], 1, /--erase names east/);
    await lock(pair.west, OURS);
    await expectPair(['start', 'west', '--erase=west'], 1, /locked under .* by coditect-dr/);
    expect(await lockOf(pair.west)).to.equal(OURS);
    expect(await pair.west.cli('option on READ_LOCK_AWARE; get other/key')).to.match(/is `1'/);
    await at(pair.west, (db) => unlockUid(db, OURS, LIMIT_MS));
    expect(await leader()).not.to.have.property('paused');
  });

  it('copies one to the other, erased first, and tells how far that is behind', async () => {
    await expectPair(['start', 'west', '--erase=west', '--dry-run'], 0, /next +all data of west erased/);
    await expectPair(['start', 'west', '--erase=west', '--by=ada'], 0, /done +west is a complete copy of east/);
    expect(await keysIn(pair.west)).to.include('first');
    await expectPair(['start', 'west', '--dry-run'], 0, /done/);
    await expectPair(['start', 'west'], 0, /done/);
    await until('fresh', isFresh);
    await expectPair(['status', '--json'], 0, /"primary":"east","copy":"west","lagSeconds":\d/);
    await until('the copy, as whoever serves shows it', async () => {
      const { lagSeconds, runs } = await shownOfPair();
      return runs === 1 && lagSeconds !== null && lagSeconds > 0 && lagSeconds < BUSY_SECONDS;
    });
    await notPaused();
  });

  it('goes on with a switch that was killed while somebody wrote, and loses nothing; the other way round is the copy then', async () => {
    await until('agents both ways', async () => (await run('switch', 'west', '--dry-run')).code === 0);
    const acknowledged: string[] = [];
    const ending = new AbortController();
    const writing = (async () => {
      for (let i = 0; !ending.signal.aborted; i++) if (await put(`moved-${i}`)) acknowledged.push(`moved-${i}`);
    })();
    try {
      await until('written', async () => acknowledged.length > 10);
      // It locks the primary, and then waits for agents that stand still.
      pair.signalAgents('SIGSTOP');
      const begun = pair.beginSwitch();
      await until('both locked', async () => (await lockOf(pair.east)) !== null);
      begun.kill('SIGKILL');
      await once(begun, 'exit');
      pair.signalAgents('SIGCONT');
      expect(await lockOf(pair.west)).not.to.equal(null);
      await expectPair(['status'], 1, /a switch is half done/);
      await expectPair(['abort', 'west', '--accept-data-loss=any'], 1, /pair switch west finishes it/);
      await expectPair(
        ['switch', 'west', '--by=ada'],
        0,
        /which was begun and not ended[^]*west takes writes[^]*done +west is the primary/,
      );
    } finally {
      ending.abort();
      await writing;
    }
    const there = await keysIn(pair.west);
    expect(acknowledged.filter((key) => !there.has(key))).to.deep.equal([]);
    expect(await lockOf(pair.west)).to.equal(null);
    expect(await lockOf(pair.east)).not.to.equal(null);
    expect(await expectPair(['switch', 'west'], 0, /done/)).not.to.contain('changing');
    await notPaused();
    await pair.west.cli('writemode on; set coditect/data/written-in-the-west x');
  });

  it('switches back, and the gateways serve again by themselves', async () => {
    await until('a copy the other way', async () => (await run('switch', 'east', '--dry-run')).code === 0);
    const out = await expectPair(['switch', 'east'], 0, /east takes writes[^]*done +east is the primary, west its copy/);
    expect(out).not.to.contain('which was begun');
    expect(await keysIn(pair.east)).to.include('written-in-the-west');
    await until('serving again', () => put('last'));
  });

  it('undoes a switch that was killed at its widest, though both have been copies before', async () => {
    await until('a copy again', isFresh);
    await pair.killSwitchAtWidest(async () => (await recordOf(pair.west))?.state === 'stopped');
    const [east, west] = [await recordOf(pair.east), await recordOf(pair.west)];
    expect([east?.state, west?.state]).to.deep.equal(['stopped', 'stopped']);
    // As it is stored: the moment of locking, and the UID.
    expect(west?.lock).to.match(/^[0-9a-f]{20}[0-9a-f]{32}$/);
    expect(west?.lagSeen?.lock).to.equal(west?.lock);
    expect(east?.lock).to.be.a('string').and.not.equal(east?.lagSeen?.lock);
    await expectPair(['status'], 1, /a switch is half done/);
    await expectPair(['switch', 'west'], 1, /stood still for 60 s[^]*changing +east unlocked[^]*refused +the copy in west has stopped/);
    await until('serving again', () => put('undone'));
    await expectPair(['start', 'west', '--erase=west'], 0, /done +west is a complete copy of east/);
  });

  it('goes on in the copy alone where the primary is lost, with what that had, once the loss is typed', async () => {
    await until('a copy again', isFresh);
    await until('shipped', async () => (await keysIn(pair.west)).has('last'));
    await expectPair(['abort', 'west', '--accept-data-loss=any'], 1, /east serves: two clusters would take writes/);
    await expectPair(['status'], 0, /fresh/);
    pair.east.signal('dc1', 'SIGKILL');
    await expectPair(['status'], 3, /east does not answer; west was [\d.]+ s behind at 20/);
    await expectPair(['abort', 'west', '--accept-data-loss=600', '--dry-run'], 0, /would lose +at most [\d.]+ s/);
    uidOfWest = await lockOf(pair.west);
    expect(uidOfWest).not.to.equal(null);
    await expectPair(['abort', 'west', '--accept-data-loss=600', SHORT], 0, /without a break[^]*west takes writes[^]*done/);
    expect(await lockOf(pair.west)).to.equal(null);
    const there = await keysIn(pair.west);
    for (const key of ['first', 'moved-0', 'written-in-the-west', 'last']) expect(there.has(key), key).to.equal(true);
    await pair.west.cli('writemode on; set coditect/data/alone x');
  });

  it('tells of two primaries when the lost one comes back', async () => {
    await pair.east.restart('dc1');
    await until('two primaries', async () => /both take writes, and neither is a copy/.test((await run('status')).out));
  });

  it('saves what the one that was left behind has alone, before anybody erases it', async () => {
    await pair.east.cli('writemode on; set coditect/data/left-behind acknowledged');
    const folder = mkdtempSync(join(tmpdir(), 'coditect-difference-'));
    const file = join(folder, 'east-left.ndjson');
    await expectPair(['difference', 'east', `--out=${file}`], 0, /1 keys in east alone, 0 in both with different values, 1 in west alone/);
    const rows: unknown[] = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    rmSync(folder, { recursive: true });
    expect(rows).to.deep.equal([
      { key: 'alone', value: null, other: 'x' },
      { key: 'left-behind', value: 'acknowledged', other: null },
    ]);
  });

  it('ends a lock that a killed abort has left, where the other is fenced, and leaves that fence', async () => {
    await lock(pair.east, OURS);
    await lock(pair.west, uidOfWest ?? '');
    await expectPair(['start', 'west', '--erase=west'], 1, /east is locked under .* by coditect-dr/);
    await expectPair(['abort', 'west', '--accept-data-loss=any'], 0, /west unlocked, which an interrupted command[^]*west takes writes/);
    expect(await lockOf(pair.west)).to.equal(null);
    expect(await lockOf(pair.east)).to.equal(OURS);
  });

  it('has done each command of the runbook by now', () => {
    const blocks = [...readFileSync(RUNBOOK, 'utf8').matchAll(/^```sh pair\n([^]*?)^```$/gm)].map(([, block]) => block as string);
    const commands = blocks.flatMap((block) => block.trim().split('\n'));
    expect(commands.length).to.be.greaterThan(5);
    expect(commands.filter((command) => !typed.has(command))).to.deep.equal([]);
  });
});
