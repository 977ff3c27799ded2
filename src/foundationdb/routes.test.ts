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
import { Gateway } from './gateway.ts';
import { keySpaceOf } from './key-space.ts';
import { lockDatabase } from './lock.ts';
import { lockSystem, lockUid } from './lock-uid.ts';
import { gatewayRoutes } from './routes.ts';

const [REGION, EAST, WEST] = REGIONS;
const LOCK = { system: lockSystem('backup', 'prod'), epoch: 3 };
const WAIT_MS = 10_000;
const NOWHERE = 'https://127.0.0.1:1';

describe('a gateway to a FoundationDB cluster that somebody has locked', () => {
  const ending = new AbortController();
  after(() => ending.abort());

  it('says which lock keeps it from answering, whose it is, how old and how it is ended', async () => {
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
