import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { EngineCluster } from '../testing/engine-cluster.ts';
import { leaderOf, untilHolds } from '../testing/engine-waits.ts';
import { FoundationdbCluster, findFoundationdb } from '../testing/foundationdb-cluster.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { REGIONS } from '../testing/test-config.ts';
import { viewOf } from './cluster-view.ts';

const programs = findFoundationdb();
const [PRIMARY, REMOTE, SATELLITE] = REGIONS;
/** One coordinator with the primary, two with the remote: what is left can still decide when the primary and its satellite are lost together. */
const COORDINATORS = [0, 2, 3];
const KEYS = 30;

/** A whole engine of three regions on a real cluster of two regions and a satellite, which loses the primary and the satellite at once: nothing comes back by itself. */
describe(`forced recovery of FoundationDB${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, function () {
  this.timeout(300_000);
  let foundationdb: FoundationdbCluster;
  let cluster: EngineCluster;
  before(async function () {
    if (typeof programs === 'string') return this.skip();
    foundationdb = await FoundationdbCluster.start(programs, 'two_regions', { coordinators: COORDINATORS });
    const database = foundationdbConfig(
      { clusterFile: foundationdb.clusterFile, library: programs.library },
      Object.fromEntries(REGIONS.map((region) => [region, region])),
    );
    cluster = await EngineCluster.prepare('sync', undefined, { database });
    cluster.startAll();
    await until('serving', () => put('first'));
    await until('normal', async () => (await leader())?.['state'] === 'Normal');
  });
  after(async () => {
    await cluster?.stop();
    await foundationdb?.stop();
  });

  const until = (what: string, holds: () => Promise<boolean>): Promise<void> => untilHolds(cluster, what, holds, 120_000);
  /** Through the region that serves, whichever it is. */
  async function put(key: string): Promise<boolean> {
    for (const region of REGIONS) if ((await cluster.ask('api', region, `/v1/kv/${key}`, 'x'))?.status === 200) return true;
    return false;
  }
  async function read(key: string): Promise<boolean> {
    for (const region of REGIONS) if ((await cluster.ask('api', region, `/v1/kv/${key}`))?.status === 200) return true;
    return false;
  }
  const leader = () => leaderOf(cluster);
  const force = (...args: string[]) =>
    cluster.command('force-recovery', `--target=${REMOTE}`, '--fdbcli', (programs as { fdbcli: string }).fdbcli, ...args);
  const region = (change: string, name: string, ...args: string[]) =>
    cluster.command('region', change, name, '--patience=4m', '--fdbcli', (programs as { fdbcli: string }).fdbcli, ...args);
  /** What the remote has for certain: its lag, in versions of a microsecond, is less than the time since. */
  async function untilShipped(): Promise<void> {
    const sinceMs = systemClock.monotonicMs();
    await until('shipped', async () => {
      const lagSeconds = viewOf(await foundationdb.status()).lagSeconds;
      return lagSeconds !== null && lagSeconds * 1000 < systemClock.monotonicMs() - sinceMs - 2000;
    });
  }

  it('is refused while the database serves, and where the loss is not typed as unknown; nothing is paused by that', async () => {
    const early = await force('--accept-data-loss=any');
    expect(early.code, early.out).to.equal(1);
    expect(early.out).to.match(/observers see commits/);
    const hasty = await force('--accept-data-loss=any', '--patience=5s');
    expect(hasty.code, hasty.out).to.equal(2);
    const little = await force('--accept-data-loss=2.5');
    expect(little.code, little.out).to.equal(2);
    expect(await leader()).not.to.have.property('paused');
  });

  it('lets the remote region go on alone, the service too, with everything that it had; by then the pause is over', async () => {
    for (let i = 0; i < KEYS; i++) expect(await put(`before-${i}`)).to.equal(true);
    await untilShipped();
    for (const dc of [PRIMARY, SATELLITE]) foundationdb.signal(dc, 'SIGKILL');
    await until('out', async () => (await leader())?.['state'] !== 'Normal' && !(await put('lost')));
    const rehearsed = await force('--accept-data-loss=any', '--dry-run');
    expect(rehearsed.out).to.match(/would lose/);
    const forced = await force('--accept-data-loss=any', '--patience=30s', '--by=ada');
    expect(forced.code, forced.out).to.equal(0);
    expect(forced.out).to.match(/done .*goes on in us-east1 alone/);
    await until('serving again', () => put('after'));
    for (let i = 0; i < KEYS; i++) expect(await read(`before-${i}`), `before-${i}`).to.equal(true);
    const view = viewOf(await foundationdb.status());
    expect(view).to.include({ usableRegions: 1, primaryDc: REMOTE, available: true });
    await until('not paused', async () => (await leader())?.['paused'] === undefined);
    expect(
      cluster.logs.filter(({ action }) => action === 'paused' || action === 'resumed').map(({ details }) => details['by']),
    ).to.deep.equal(['ada (operator.outside)', 'ada (operator.outside)']);
  });

  it('is not thrown over by the old primary and the satellite when they come back', async () => {
    for (const dc of [PRIMARY, SATELLITE]) await foundationdb.restart(dc);
    await until('all there', async () => {
      const { dataCenters } = viewOf(await foundationdb.status());
      return [PRIMARY, SATELLITE].every((dc) => dataCenters?.has(dc) === true);
    });
    await until('serving', () => put('later'));
    expect(await read('after')).to.equal(true);
    expect(viewOf(await foundationdb.status())).to.include({ usableRegions: 1, primaryDc: REMOTE });
  });

  it('the old primary is added again, and preferred: everything is there, and neither is begun where it makes no sense', async () => {
    const senseless = await region('add', REMOTE);
    expect(senseless.code, senseless.out).to.equal(1);
    expect(senseless.out).to.contain(`the database is in ${REMOTE}`);
    const rehearsed = await region('add', PRIMARY, '--dry-run');
    expect(rehearsed.out).to.match(/next +(usable_regions=2|priorities us-east1 1, us-central1 -1)/);
    for (const [change, primaryDc] of [
      ['add', REMOTE],
      ['prefer', PRIMARY],
    ] as const) {
      const changed = await region(change, PRIMARY, '--by=ada');
      expect(changed.code, changed.out).to.equal(0);
      expect(viewOf(await foundationdb.status())).to.include({ usableRegions: 2, primaryDc });
      await until(`serving after ${change}`, () => put(change));
      expect((await region(change, PRIMARY)).out).not.to.contain('changing');
    }
    for (const key of ['before-0', 'after', 'later', 'add', 'prefer']) expect(await read(key), key).to.equal(true);
    await until('not paused', async () => (await leader())?.['paused'] === undefined);
  });

  it('goes on without a region that is lost for good, once FoundationDB has left it by itself', async () => {
    foundationdb.signal(PRIMARY, 'SIGKILL');
    await until('left', async () => viewOf(await foundationdb.status()).primaryDc === REMOTE);
    const untold = await region('drop', PRIMARY);
    expect(untold.code, untold.out).to.equal(1);
    expect(untold.out).to.contain('--accept-data-loss=any');
    const dropped = await region('drop', PRIMARY, '--accept-data-loss=any');
    expect(dropped.code, dropped.out).to.equal(0);
    expect(dropped.out).to.contain('past the checks of fdbcli');
    expect(viewOf(await foundationdb.status())).to.include({ usableRegions: 1, primaryDc: REMOTE });
    await until('serving', () => put('alone'));
    for (const key of ['before-0', 'after', 'later', 'add', 'prefer']) expect(await read(key), key).to.equal(true);
  });
});
