import { Readable } from 'node:stream';
import { expect } from 'chai';
import { openEtcd } from '../arbiter/etcd.ts';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
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
import { gatewayRoutes } from './routes.ts';

const [REGION, EAST, WEST] = REGIONS;
const LOCK = { system: lockSystem('backup', 'prod'), epoch: 3 };
const WAIT_MS = 10_000;
const NOWHERE = 'https://127.0.0.1:1';

describe('what a gateway tells of its FoundationDB cluster', () => {
  const ending = new AbortController();
  after(() => ending.abort());

  it('that is locked: which lock keeps it from answering, whose it is, how old and how it is ended', async () => {
    const { db, store } = await locked();
    const config = decodeConfig(configText(), 'test');
    if (config.database.kind !== 'foundationdb') throw new Error('not FoundationDB');
    const [clock, keys] = [systemClock, keySpaceOf('coditect/')];
    const log = logTo({ write: () => undefined }, { component: 'database', region: REGION, clock });
    const credentials = await (await makeTestAuthority()).issue('database.us-central1');
    // Nobody is there, and nobody is asked: the gateway does not run.
    const arbiter = openEtcd({ endpoints: [NOWHERE], prefix: '/x/', credentials, rpcMs: 500, silenceMs: 1000, clock });
    const asker = { cluster: 'prod', fdbcli: 'fdbcli -C fdb.cluster' };
    const gateway = new Gateway({ db, keys, config, arbiter, clock, log });
    const monitor = new ClusterMonitor({ db, clock, log, dataCenters: ['dc1'], periodMs: 20, asker });
    const watching = monitor.run(ending.signal);
    for (const untilMs = clock.monotonicMs() + WAIT_MS; monitor.seen.lock === null && clock.monotonicMs() < untilMs;) await clock.sleep(10);
    const options = { gateway, monitor, asker, db, keys, config, foundationdb: config.database, statusPeriodMs: 20, clock };
    const routes = gatewayRoutes({ ...options, metrics: () => Promise.resolve('') });
    const status = routes.find(({ method, path }) => method === 'GET' && path === '/v1/status');
    const request = {
      method: 'GET',
      path: '/v1/status',
      rest: '',
      caller: null,
      correlationId: '',
      body: Buffer.of(),
      signal: ending.signal,
    } as const;
    const reply: HttpReply | undefined = await status?.handle({ ...request, stream: Readable.from([]) });
    ending.abort();
    await watching;
    await arbiter.close();
    expect(store.lockedBy).to.equal(lockUid(LOCK));
    expect(reply).to.deep.include({ status: 503 }).and.to.have.nested.property('json.error.code', 'database-locked');
    expect(JSON.stringify(reply)).to.match(/for at most \d+ s: a `backup create --lock` of prod holds it.*unlock 43445231/);
  });

  it('that is one of a pair: a copy that was ended is shorter than any log of its epoch: a region that has the primary’s own database is to be preferred', async () => {
    const { db } = new MemoryFoundationdb();
    const config = decodeConfig(configText(), 'test');
    if (config.database.kind !== 'foundationdb') throw new Error('not FoundationDB');
    const [clock, keys] = [systemClock, keySpaceOf('coditect/')];
    await openFence(db, keys.fence, { epoch: 4, region: EAST }, WAIT_MS);
    const log = logTo({ write: () => undefined }, { component: 'database', region: REGION, clock });
    const credentials = await (await makeTestAuthority()).issue('database.us-central1');
    const arbiter = openEtcd({ endpoints: [NOWHERE], prefix: '/x/', credentials, rpcMs: 500, silenceMs: 1000, clock });
    const asker = { cluster: 'prod', fdbcli: 'fdbcli -C fdb.cluster' };
    const lastOf = async (own: string): Promise<unknown> => {
      const members = { own: { name: own }, other: { name: 'other' } } as PairHome['members'];
      const home: PairHome = { other: { name: 'other', db }, members, homes: { [REGION]: own, [EAST]: 'east' } };
      const gateway = new Gateway({ db, keys, config, arbiter, clock, log, home });
      const monitor = new ClusterMonitor({ db, clock, log, dataCenters: ['dc1'], periodMs: 20, asker });
      const watch = new PairWatch({ ...keysAndClocks(db), isServing: () => false });
      const options = {
        gateway,
        monitor,
        asker,
        db,
        keys,
        config,
        foundationdb: config.database as FoundationdbConfig,
        statusPeriodMs: 20,
        clock,
      };
      const routes = gatewayRoutes({ ...options, metrics: () => Promise.resolve(''), pair: { home, watch } });
      const status = routes.find(({ method, path }) => method === 'GET' && path === '/v1/status');
      const asked = { method: 'GET', path: '/v1/status', rest: '', caller: null, correlationId: '', body: Buffer.of() } as const;
      const reply = await status?.handle({ ...asked, signal: ending.signal, stream: Readable.from([]) });
      return (reply?.json as { readonly lastIndex: number } | undefined)?.lastIndex;
    };
    const keysAndClocks = (other: typeof db) => ({
      own: db,
      other,
      otherName: 'other',
      keys,
      clock,
      incarnation: 'i',
      fences: () => null,
      onCopy: () => undefined,
    });
    expect(await lastOf('east'), 'the cluster of the region that served').to.be.above(0);
    expect(await lastOf('central'), 'whose copy here was ended').to.equal(0);
    await arbiter.close();
  });

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
