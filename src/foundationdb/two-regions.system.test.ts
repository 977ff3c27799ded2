import { expect } from 'chai';
import type { Database } from 'foundationdb';
import { FoundationdbCluster, findFoundationdb } from '../testing/foundationdb-cluster.ts';
import { systemClock } from '../platform/clock.ts';
import { openCluster } from './client.ts';
import { conditionOf, viewOf, type ClusterView } from './cluster-view.ts';
import { readAll, writeKey, type Authority } from './data.ts';
import { openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';

const programs = findFoundationdb();
const PRIMARY = 'us-central1';
const REMOTE = 'us-east1';
const SATELLITE = 'europe-west1';
const BY: Authority = { epoch: 1, region: PRIMARY };
const LIMIT_MS = 5000;
const keys = keySpaceOf('two-regions/');

/** deploy/foundationdb/regions.json on real servers: two regions and a satellite that holds the newest log of whoever is primary. */
describe(`FoundationDB in two regions and a satellite${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, function () {
  this.timeout(240_000);
  let cluster: FoundationdbCluster;
  let db: Database;
  before(async function () {
    if (typeof programs === 'string') return this.skip();
    cluster = await FoundationdbCluster.start(programs, 'two_regions');
    db = openCluster({ clusterFile: cluster.clusterFile, library: programs.library, tls: null, dataCenter: PRIMARY });
    const opened = await openFence(db, keys.fence, BY, LIMIT_MS);
    expect(opened.kind).to.equal('done');
  });
  after(async () => {
    db?.close();
    await cluster?.stop();
  });

  const view = async (): Promise<ClusterView> => viewOf(await cluster.status());
  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const end = systemClock.monotonicMs() + 120_000; systemClock.monotonicMs() < end; await systemClock.sleep(500))
      if (await holds().catch(() => false)) return;
    throw new Error(`not seen in time: ${what}; last: ${JSON.stringify(conditionOf(await view(), cluster.dataCenters))}`);
  }

  /** Writes one key after another until the signal; those that were acknowledged. */
  async function writing(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const acknowledged: string[] = [];
    for (let i = 0; !signal.aborted; i++) {
      const key = `${name}-${i}`;
      const outcome = await writeKey({ db, keys }, BY, key, 'x', 1000);
      if (outcome.kind === 'done' && outcome.value.kind === 'allowed') acknowledged.push(key);
    }
    return acknowledged;
  }

  /** Works while somebody writes; nothing that was acknowledged before, during and after it is missing. */
  async function loses(name: string, work: () => Promise<void>): Promise<readonly string[]> {
    const ending = new AbortController();
    const written = writing(name, ending.signal);
    try {
      await work();
      await systemClock.sleep(1000);
    } finally {
      ending.abort();
    }
    const acknowledged = await written;
    const there = new Set<string>();
    for await (const { key } of (await readAll({ db, keys }, LIMIT_MS)).rows) there.add(key);
    expect(acknowledged.length).to.be.greaterThan(0);
    return acknowledged.filter((key) => !there.has(key));
  }

  it('is configured by the file as it is deployed, with its data in two of the three data centres', async () => {
    const seen = await view();
    expect(seen).to.include({ usableRegions: 2, primaryDc: PRIMARY, redundancyMode: 'double', replicated: true, locked: false });
    expect(seen.dataCenters?.get(PRIMARY)?.storage).to.equal(2);
    expect(seen.dataCenters?.get(REMOTE)?.storage).to.equal(2);
    expect(seen.dataCenters?.get(SATELLITE)).to.include({ processes: 2, storage: 0 });
    expect(seen.lagSeconds).to.be.a('number');
  });

  it('goes to the other region by itself when the first dies, and loses nothing that was acknowledged', async () => {
    const lost = await loses('loss', async () => {
      cluster.signal(PRIMARY, 'SIGKILL');
      await until('serving in the other region', async () => {
        const seen = await view();
        return (
          seen.primaryDc === REMOTE && seen.available === true && (await writeKey({ db, keys }, BY, 'probe', 'x', 1000)).kind === 'done'
        );
      });
    });
    expect(lost).to.deep.equal([]);
    expect(conditionOf(await view(), cluster.dataCenters).kind).to.equal('degraded');
  });

  it('goes back by itself when the first is there again, which nobody asked for, and loses nothing either', async () => {
    const lost = await loses('return', async () => {
      await cluster.restart(PRIMARY);
      await until('serving in the first region again', async () => (await view()).primaryDc === PRIMARY);
    });
    expect(lost).to.deep.equal([]);
    await cluster.untilHealthy();
  });
});
