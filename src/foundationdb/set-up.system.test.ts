import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../cli.ts';
import { systemClock } from '../platform/clock.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { FoundationdbCluster, findFoundationdb, type ClusterOptions } from '../testing/foundationdb-cluster.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { configWithoutSystem, REGIONS } from '../testing/test-config.ts';
import { coordinatorsOf, placementProblems } from './coordinators.ts';
import { viewOf } from './cluster-view.ts';

const programs = findFoundationdb();
const DEPLOYED = join(import.meta.dirname, '../../../deploy/foundationdb/regions.json');

/** The command on real servers, before there is an engine. */
describe(`set-up of FoundationDB${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, function () {
  this.timeout(300_000);
  let folder: string;
  let cluster: FoundationdbCluster;
  before(async function () {
    if (typeof programs === 'string') return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'set-up-'));
    const { ca, cert, key } = await (await makeTestAuthority()).issue('operator.us-east1');
    for (const [name, pem] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, `${name}.pem`), pem);
  });
  afterEach(async () => {
    await cluster?.stop();
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  async function start(mode: 'three_datacenter' | 'two_regions', options: ClusterOptions): Promise<void> {
    if (typeof programs === 'string') throw new Error(programs);
    cluster = await FoundationdbCluster.start(programs, mode, { ...options, isBare: true });
    const dcs = mode === 'two_regions' ? REGIONS : ['dc1', 'dc2', 'dc3'];
    const database = foundationdbConfig(
      { clusterFile: cluster.clusterFile, library: programs.library },
      Object.fromEntries(REGIONS.map((region, n) => [region, dcs[n] as string])),
    );
    writeFileSync(join(folder, 'config.yaml'), configWithoutSystem(database));
  }
  async function setUp(layout: string, ...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    if (typeof programs === 'string') throw new Error(programs);
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: new AbortController().signal, out: tell, err: tell };
    const command = ['foundationdb', 'set-up', layout, '--fdbcli', programs.fdbcli, '--config', join(folder, 'config.yaml'), ...words];
    return { code: await runCli(command, world), said };
  }
  async function place(): Promise<{ readonly problems: readonly string[]; readonly count: number }> {
    const found = coordinatorsOf(await cluster.status()) ?? [];
    return { problems: placementProblems(found), count: found.length };
  }

  it('makes three_datacenter of servers alone, and changes nothing a second time, nor where a region is away', async () => {
    await start('three_datacenter', { coordinators: [0] });
    const unsaid = await setUp('three_datacenter', '--without-pause');
    expect(unsaid.code, unsaid.said).to.equal(1);
    expect(unsaid.said).to.match(/^refused +its coordinators know of no database.*--new/m);
    const rehearsed = await setUp('three_datacenter', '--new', '--dry-run');
    expect(rehearsed.said).to.match(/^next +a new database, three_datacenter/m);
    const done = await setUp('three_datacenter', '--new', '--without-pause', '--patience=3m');
    expect(done.code, done.said).to.equal(0);
    expect(done.said.match(/^changing/gm)).to.have.length(2);
    expect(viewOf(await cluster.status())).to.include({ redundancyMode: 'three_datacenter', replicated: true });
    expect(await place()).to.deep.equal({ problems: [], count: 5 });
    const again = await setUp('three_datacenter', '--new', '--without-pause');
    expect(again.code, again.said).to.equal(0);
    expect(again.said).to.not.match(/^changing/m);
    cluster.signal('dc3', 'SIGKILL');
    const away = await setUp('three_datacenter', '--without-pause', '--patience=20s');
    expect(away.code, away.said).to.equal(3);
    expect(away.said).to.not.match(/^changing/m);
  });

  it('knows where coordinators are that are named by host, and leaves their names', async () => {
    await start('three_datacenter', { coordinators: [0, 2, 4], isNamed: true });
    await cluster.cli('configure new single memory', 60_000);
    const rehearse = () => setUp('three_datacenter', '--without-pause', '--dry-run');
    let placed = await rehearse();
    for (let looks = 0; looks < 60 && /^wait/m.test(placed.said); looks++) {
      await systemClock.sleep(1000);
      placed = await rehearse();
    }
    expect(placed.said).to.match(/^next +redundancy three_datacenter/);
    const [first, second, , , fifth] = cluster.names;
    await cluster.cli(`coordinators ${first} ${second} ${fifth}`);
    const moved = await setUp('three_datacenter', '--without-pause', '--patience=1m');
    expect(moved.code, moved.said).to.equal(1);
    expect(moved.said).to.match(/^refused +2 of 3 coordinators are in dc1.*named by host \(0x7f\.1/m);
    const named = (coordinatorsOf(await cluster.status()) ?? []).map(({ address }) => address);
    expect(named).to.have.members([first, second, fifth]);
  });

  it('brings a database that has data into two regions, and is refused while nobody pauses failovers', async () => {
    await start('two_regions', { coordinators: [0, 2, 4] });
    await cluster.cli('configure new double ssd-2', 60_000);
    await cluster.cli('writemode on; set kept value');
    const unpaused = await setUp(DEPLOYED);
    expect(unpaused.code, unpaused.said).to.equal(1);
    expect(unpaused.said).to.match(/^refused +no controller that leads answers/m);
    const done = await setUp(DEPLOYED, '--without-pause', '--patience=4m');
    expect(done.code, done.said).to.equal(0);
    expect(viewOf(await cluster.status())).to.include({
      redundancyMode: 'double',
      usableRegions: 2,
      primaryDc: 'us-central1',
      replicated: true,
    });
    expect(await cluster.cli('get kept')).to.contain('value');
    const again = await setUp(DEPLOYED, '--without-pause');
    expect(again.said).to.not.match(/^changing/m);
    expect(again.code, again.said).to.equal(0);
  });
});
