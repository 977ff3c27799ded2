import { Readable } from 'node:stream';
import { expect } from 'chai';
import { openEtcd } from '../arbiter/etcd.ts';
import { decodeConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import type { HttpReply } from '../platform/http.ts';
import { logTo } from '../telemetry/log.ts';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { PATIENT, REGIONS, testConfig, type TestSettings } from '../testing/test-config.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import { openFence } from './fence.ts';
import { Gateway } from './gateway.ts';
import { keySpaceOf } from './key-space.ts';
import { lockDatabase } from './lock.ts';
import { lockSystem, lockUid } from './lock-uid.ts';
import type { PairHome } from './pair-home.ts';
import { PairWatch } from './pair-watch.ts';
import { gatewayRoutes, type RouteOptions } from './routes.ts';

const [REGION, EAST, WEST] = REGIONS;
const LOCK = { system: lockSystem('backup', 'prod'), epoch: 3 };
const WAIT_MS = 10_000;
const NOWHERE = 'https://127.0.0.1:1';

describe('what a gateway tells of its FoundationDB cluster', () => {
  const ending = new AbortController();
  after(() => ending.abort());

  it('that is locked: which lock keeps it from answering, whose it is, how old and how it is ended', async () => {
    const { db, store } = await locked();
    const own = await ownOf(db);
    const { monitor, clock } = own;
    const watching = monitor.run(ending.signal);
    for (const untilMs = clock.monotonicMs() + WAIT_MS; monitor.seen.lock === null && clock.monotonicMs() < untilMs;) await clock.sleep(10);
    const reply = await statusOf({ ...own, gateway: new Gateway(own) });
    ending.abort();
    await watching;
    await own.arbiter.close();
    expect(store.lockedBy).to.equal(lockUid(LOCK));
    expect(reply).to.deep.include({ status: 503 }).and.to.have.nested.property('json.error.code', 'database-locked');
    expect(JSON.stringify(reply)).to.match(/for at most \d+ s: a `backup create --lock` of prod holds it.*unlock 43445231/);
  });

  it('that is one of a pair: a copy that was ended is shorter than any log of its epoch: a region that has the primary’s own database is to be preferred', async () => {
    const { db } = new MemoryFoundationdb();
    const own = await ownOf(db);
    const { keys, clock } = own;
    await openFence(db, keys.fence, { epoch: 4, region: EAST }, WAIT_MS);
    const lastOf = async (cluster: string): Promise<unknown> => {
      const members = { own: { name: cluster }, other: { name: 'other' } } as PairHome['members'];
      const home: PairHome = { other: { name: 'other', db }, members, homes: { [REGION]: cluster, [EAST]: 'east' } };
      const watched = { own: db, other: db, otherName: 'other', keys, clock, incarnation: 'i' };
      const watch = new PairWatch({ ...watched, isServing: () => false, fences: () => null, onCopy: () => undefined });
      const reply = await statusOf({ ...own, gateway: new Gateway({ ...own, home }), pair: { home, watch } });
      return (reply?.json as { readonly lastIndex: number } | undefined)?.lastIndex;
    };
    expect(await lastOf('east'), 'the cluster of the region that served').to.be.above(0);
    expect(await lastOf('central'), 'whose copy here was ended').to.equal(0);
    await own.arbiter.close();
  });

  it('in its log, where it cannot decide who serves: an error by its fields, and no JSON within a string', async () => {
    const told: string[] = [];
    const stop = new AbortController();
    const own = await ownOf(new MemoryFoundationdb().db, (line) => void (told.push(line) && stop.abort()));
    await new Gateway(own).run(stop.signal);
    await own.arbiter.close();
    const line = JSON.parse(told[0] ?? '') as Record<string, unknown>;
    expect(line).to.deep.include({ level: 'warn', action: 'not_decided' });
    expect(line).to.have.nested.property('details.error.code', 'arbiter-unavailable');
    expect(line).to.have.nested.property('details.error.message').that.is.a('string').and.does.not.match(/^\{/);
  });

  /** All that a gateway of this database has beside itself. Nobody is there, and nobody is asked: none of it runs. The caller closes the arbiter. */
  async function ownOf(db: MemoryFoundationdb['db'], write: (line: string) => void = () => undefined) {
    const config = decodeConfig(configText(), 'test');
    if (config.database.kind !== 'foundationdb') throw new Error('not FoundationDB');
    const [clock, keys] = [systemClock, keySpaceOf('coditect/')];
    const log = logTo({ write }, { component: 'database', region: REGION, clock });
    const credentials = await (await makeTestAuthority()).issue('database.us-central1');
    const arbiter = openEtcd({ endpoints: [NOWHERE], prefix: '/x/', credentials, rpcMs: 500, silenceMs: 1000, clock });
    const asker = { cluster: 'prod', fdbcli: 'fdbcli -C fdb.cluster' };
    const monitor = new ClusterMonitor({ db, clock, log, dataCenters: ['dc1'], periodMs: 20, asker });
    return { db, keys, config, foundationdb: config.database, arbiter, clock, log, asker, monitor };
  }

  async function statusOf(options: Omit<RouteOptions, 'statusPeriodMs' | 'metrics'>): Promise<HttpReply | undefined> {
    const routes = gatewayRoutes({ ...options, statusPeriodMs: 20, metrics: () => Promise.resolve('') });
    const status = routes.find(({ method, path }) => method === 'GET' && path === '/v1/status');
    const asked = { method: 'GET', path: '/v1/status', rest: '', caller: null, correlationId: '', body: Buffer.of() } as const;
    return await status?.handle({ ...asked, signal: new AbortController().signal, stream: Readable.from([]) });
  }

  async function locked(): Promise<{ readonly db: MemoryFoundationdb['db']; readonly store: MemoryFoundationdb }> {
    const store = new MemoryFoundationdb();
    await lockDatabase(store.db, LOCK, WAIT_MS);
    store.status = JSON.stringify({ client: {}, cluster: { database_lock_state: { locked: true, lock_uid: lockUid(LOCK) } } });
    return { db: store.db, store };
  }

  const configText = (): string => {
    const data_centers = { [REGION]: 'dc1', [EAST]: 'dc2', [WEST]: 'dc3' };
    const settings: TestSettings = {
      mode: 'sync',
      policy: PATIENT,
      arbiter: { kind: 'etcd', endpoints: [NOWHERE], prefix: '/x/' },
      dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
      more: { database: { kind: 'foundationdb', experimental: true, cluster_file: 'fdb.cluster', data_centers } },
      pem: '',
      portOf: () => 1,
    };
    return testConfig(settings, 'database', REGION);
  };
});
