import { expect } from 'chai';
import { openArbiter } from '../adapters.ts';
import { systemClock } from '../platform/clock.ts';
import { loadCredentials } from '../platform/tls.ts';
import { logTo } from '../telemetry/log.ts';
import { EngineCluster } from '../testing/engine-cluster.ts';
import { leaderOf } from '../testing/engine-waits.ts';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { REGIONS, type Region } from '../testing/test-config.ts';
import { serveGateway, type GatewayProgram } from './program.ts';

const [PRIMARY, EAST, WEST] = REGIONS;
const DATA_CENTERS = { [PRIMARY]: 'dc1', [EAST]: 'dc2', [WEST]: 'dc3' };
/** Long enough to be suspected and confirmed several times over. */
const RECOVERY_MS = 5000;

/** What a three_datacenter cluster says of itself: with these data centres, or as it does for as long as one is away (measured on 7.3.79). */
function saying(dcs: readonly string[], primary: string): string {
  const whole = dcs.length === Object.keys(DATA_CENTERS).length;
  return JSON.stringify({
    client: { database_status: { available: true }, coordinators: { quorum_reachable: true } },
    cluster: {
      active_primary_dc: primary,
      database_available: true,
      full_replication: true,
      generation: 2,
      recovery_state: { name: whole ? 'fully_recovered' : 'all_logs_recruited' },
      data: { state: { healthy: whole }, team_trackers: [{ state: { healthy: whole } }] },
      processes: Object.fromEntries(dcs.map((dcid) => [dcid, { locality: { dcid }, roles: [{ role: 'storage' }] }])),
    },
  });
}
const WHOLE = saying(Object.values(DATA_CENTERS), 'dc1');

describe('a whole engine on gateways to FoundationDB (a strict store in memory)', () => {
  let cluster: EngineCluster;
  let store: MemoryFoundationdb;
  /** Of the first primary, once all is well: 1, but where all programs start at once on a busy machine it may have lost its lease and taken another. */
  let epoch: number;
  const gateways = new Map<Region, { readonly ending: AbortController; readonly done: Promise<void> }>();

  beforeEach(async () => {
    store = new MemoryFoundationdb();
    store.status = WHOLE;
    const database = { kind: 'foundationdb', experimental: true, cluster_file: 'fdb.cluster', data_centers: DATA_CENTERS };
    cluster = await EngineCluster.prepare('sync', undefined, { database });
    for (const region of REGIONS) {
      await startGateway(region);
      for (const program of ['api', 'controller'] as const) cluster.startProgram(program, region);
    }
    await cluster.until(
      'serving',
      () => cluster.ask('api', PRIMARY, '/v1/kv/first', 'x'),
      (answer) => answer?.status === 200,
    );
    const watched = await cluster.until(
      'watched',
      leaderStatus,
      (status) => status?.['primary'] === PRIMARY && status['state'] === 'Normal',
    );
    epoch = Number(watched?.['epoch']);
  });
  afterEach(async () => {
    store.silent = false;
    for (const region of REGIONS) await endGateway(region);
    await cluster.stop();
  });

  /** The program itself, in this process, as the store is. */
  async function startGateway(region: Region): Promise<void> {
    const { config, folder } = cluster.configOf('database', region);
    if (config.database.kind !== 'foundationdb') throw new Error('not FoundationDB');
    const credentials = loadCredentials(config.tls, folder);
    const clock = systemClock;
    const log = logTo({ write: () => undefined }, { component: 'database', region, clock });
    const arbiter = await openArbiter({ config, folder, credentials, clock });
    const ending = new AbortController();
    const program = { config, foundationdb: config.database, folder, credentials, arbiter, clock, log };
    gateways.set(region, { ending, done: serveAndClose(program, ending.signal) });
  }

  async function serveAndClose(program: GatewayProgram, signal: AbortSignal): Promise<void> {
    try {
      await serveGateway(program, store.db, signal);
    } finally {
      await program.arbiter.close();
    }
  }

  async function endGateway(region: Region): Promise<void> {
    const running = gateways.get(region);
    gateways.delete(region);
    running?.ending.abort(new Error('the test ends it'));
    await running?.done;
  }

  const leaderStatus = () => leaderOf(cluster);

  const served = (by: Region) =>
    cluster.until(
      `served by ${by}`,
      () => cluster.ask('api', by, '/v1/kv/after', 'x'),
      (answer) => answer?.status === 200,
    );
  /** By whichever other region: each has all, and the first that is sealed may be the one. */
  async function moved(): Promise<Region> {
    const others = [EAST, WEST] as const;
    const find = async (): Promise<Region | undefined> => {
      const answers = await Promise.all(others.map((by) => cluster.ask('api', by, '/v1/kv/after', 'x')));
      return others.find((_, n) => answers[n]?.status === 200);
    };
    return (await cluster.until('served elsewhere', find, (region) => region !== undefined)) as Region;
  }
  const kept = (by: Region) =>
    cluster.until(
      `read in ${by}`,
      () => cluster.ask('api', by, '/v1/kv/first'),
      (answer) => answer?.status === 200,
    );
  const begun = (): readonly string[] => cluster.logs.filter(({ action }) => action === 'failover_initiated').map(({ region }) => region);

  it('waits while FoundationDB recovers by itself, takes nothing, and the primary goes on', async () => {
    store.silent = true;
    await cluster.until('confirmed down', leaderStatus, (status) => status?.['state'] === 'Degraded');
    await systemClock.sleep(RECOVERY_MS);
    expect(begun(), cluster.transcript()).to.deep.equal([]);
    store.silent = false;
    const answer = await served(PRIMARY);
    expect(answer?.json).to.include({ region: PRIMARY, epoch });
    await cluster.until('normal again', leaderStatus, (status) => status?.['state'] === 'Normal');
    expect(begun()).to.deep.equal([]);
  });

  it('fails over once FoundationDB is back where the region went down with it, and loses nothing', async () => {
    store.silent = true;
    await endGateway(PRIMARY);
    await systemClock.sleep(RECOVERY_MS);
    expect(begun(), cluster.transcript()).to.deep.equal([]);
    store.silent = false;
    const next = await moved();
    expect((await served(next))?.json).to.include({ region: next, epoch: epoch + 1 });
    expect((await kept(next))?.json).to.include({ value: 'x', region: next });
    await cluster.until(
      'verified and published',
      leaderStatus,
      (status) => status?.['state'] !== 'Failover' && status?.['primary'] === next,
    );
    await startGateway(PRIMARY);
    await cluster.until(
      'a standby again',
      () => cluster.ask('database', PRIMARY, '/v1/status'),
      (one) => (one?.json as { role?: string } | undefined)?.role === 'standby',
    );
  });

  it('fails over at once where only the gateway is gone', async () => {
    await endGateway(PRIMARY);
    const next = await moved();
    expect((await served(next))?.json).to.include({ region: next, epoch: epoch + 1 });
  });

  it('moves by order, and back, without losing a write; tells at /metrics what the status says, and nothing that it does not', async () => {
    const metrics = await cluster.until(
      'whole',
      async () => (await cluster.ask('database', PRIMARY, '/metrics'))?.text ?? '',
      (text) => /^fdb_cluster_condition\{.*condition="healthy".*\} 1$/m.test(text),
    );
    expect(metrics)
      .to.match(/^fdb_datacenter_processes\{.*datacenter="dc3".*\} 1$/m)
      .and.to.match(/^fdb_fully_replicated\{.*\} 1$/m);
    expect(metrics).not.to.contain('fdb_replication_lag_seconds').and.not.to.contain('fdb_zone_failures');
    const there = await cluster.command('switchover', `--target=${EAST}`);
    expect(there.code, there.out).to.equal(0);
    expect((await served(EAST))?.json).to.include({ region: EAST, epoch: epoch + 1 });
    // Refused until it was in sync for long enough.
    await cluster.until(
      'moved back',
      () => cluster.command('failback'),
      ({ code }) => code === 0,
    );
    expect((await served(PRIMARY))?.json).to.include({ region: PRIMARY, epoch: epoch + 2 });
    expect((await kept(PRIMARY))?.json).to.include({ value: 'x' });
  });

  it("follows FoundationDB to where it is when the primary region's own data centre is away, once, and stays there", async () => {
    store.status = saying(['dc2', 'dc3'], 'dc3');
    expect((await served(WEST))?.json).to.include({ region: WEST, epoch: epoch + 1 });
    store.status = saying(Object.values(DATA_CENTERS), 'dc3');
    await cluster.until('settled', leaderStatus, (status) => status?.['primary'] === WEST && status['state'] !== 'Failover');
    await systemClock.sleep(RECOVERY_MS);
    const moves = cluster.logs.filter(({ action }) => action === 'failover_initiated').map(({ details }) => details);
    expect(moves.map(({ tier, from, target }) => [tier, from, target])).to.deep.equal([['switchover', PRIMARY, WEST]]);
    expect((await kept(WEST))?.json).to.include({ value: 'x', region: WEST });
  });
});
