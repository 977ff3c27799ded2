import { Readable } from 'node:stream';
import { expect } from 'chai';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { openEtcd } from '../arbiter/etcd.ts';
import { decodeConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import type { HttpRequest } from '../platform/http.ts';
import type { Credentials } from '../platform/tls.ts';
import { databaseStatusShape, type DatabaseStatus } from '../server/control-messages.ts';
import { logTo } from '../telemetry/log.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { startEtcdCluster, type EtcdCluster } from '../testing/etcd-cluster.ts';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { PATIENT, REGIONS, testConfig, type Region } from '../testing/test-config.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import { changeFence, NO_FENCE } from './fence.ts';
import { Gateway } from './gateway.ts';
import { keySpaceOf } from './key-space.ts';
import { gatewayRoutes } from './routes.ts';

const [PRIMARY, EAST, WEST] = REGIONS;
const DATA_CENTERS = { [PRIMARY]: 'dc1', [EAST]: 'dc2', [WEST]: 'dc3' };
const WAIT_MS = 60_000;
/** Of the test's own calls to etcd: the machine may be busy. A gateway's are those of an engine. */
const RPC_MS = 15_000;
const ASKER = { cluster: null, fdbcli: 'fdbcli' };
const keys = keySpaceOf('coditect/');

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** One region's gateway with a real arbiter, asked at its routes. The cluster below it is in memory. */
class RegionUnderTest {
  readonly gateway: Gateway;
  readonly #routes: ReturnType<typeof gatewayRoutes>;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #arbiter: Arbiter;

  constructor(region: Region, store: MemoryFoundationdb, etcd: { endpoints: readonly string[]; credentials: Credentials; prefix: string }) {
    const config = decodeConfig(configText(region), 'test');
    const { database } = config;
    if (database.kind !== 'foundationdb') throw new Error('not FoundationDB');
    const clock = systemClock;
    const log = logTo({ write: () => undefined }, { component: 'database', region, clock });
    this.#arbiter = openEtcd({ ...etcd, rpcMs: 500, silenceMs: 1000, clock });
    const { db } = store;
    this.gateway = new Gateway({ db, keys, config, arbiter: this.#arbiter, clock, log });
    const monitor = new ClusterMonitor({ db, clock, log, dataCenters: Object.values(DATA_CENTERS), periodMs: 1000, asker: ASKER });
    this.#routes = gatewayRoutes({
      gateway: this.gateway,
      monitor,
      asker: ASKER,
      db,
      keys,
      config,
      foundationdb: database,
      statusPeriodMs: 1000,
      clock,
      metrics: () => Promise.resolve(''),
    });
    this.#running = this.gateway.run(this.#ending.signal);
  }

  async ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body: string | object = ''): Promise<Answer> {
    const route = this.#routes.find(
      (one) => one.method === method && (one.prefix === true ? path.startsWith(one.path) : one.path === path),
    );
    if (route === undefined) throw new Error(`no route ${method} ${path}`);
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const request: HttpRequest = {
      method,
      path,
      rest: decodeURIComponent(path.slice(route.path.length)),
      caller: null,
      correlationId: 'test',
      body: bytes,
      stream: Readable.from([]),
      signal: this.#ending.signal,
    };
    const { status, json, body: stream } = await route.handle(request);
    if (stream === undefined) return { status, json: json as Readonly<Record<string, unknown>> };
    const parts: string[] = [];
    for await (const part of Readable.from(stream)) parts.push(String(part));
    return { status, json: { text: parts.join('') } };
  }

  put(key: string, value: string): Promise<Answer> {
    return this.ask('PUT', `/v1/kv/${encodeURIComponent(key)}`, value);
  }

  async status(): Promise<DatabaseStatus | null> {
    const { status, json } = await this.ask('GET', '/v1/status');
    return status === 200 ? databaseStatusShape.parse(json) : null;
  }

  async until(what: string, holds: (status: DatabaseStatus) => boolean): Promise<DatabaseStatus> {
    let last: DatabaseStatus | null = null;
    for (const end = systemClock.monotonicMs() + WAIT_MS; systemClock.monotonicMs() < end; await systemClock.sleep(20)) {
      last = await this.status();
      if (last !== null && holds(last)) return last;
    }
    throw new Error(`not ${what} in time: ${JSON.stringify(last)}`);
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Error('stopping'));
    await this.#running;
    await this.#arbiter.close();
  }
}

function configText(region: Region): string {
  const settings = {
    mode: 'sync',
    policy: PATIENT,
    arbiter: { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/x/' },
    dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
    more: { database: { kind: 'foundationdb', experimental: true, cluster_file: 'fdb.cluster', data_centers: DATA_CENTERS } },
    pem: '',
    portOf: () => 1,
  } as const;
  return testConfig({ ...settings, arbiter: { ...settings.arbiter, endpoints: [...settings.arbiter.endpoints] } }, 'database', region);
}

describe('gateway to FoundationDB, on a strict store in memory and a real arbiter', () => {
  let etcd: EtcdCluster;
  let credentials: Credentials;
  let arbiter: Arbiter;
  let store: MemoryFoundationdb;
  let regions: Record<Region, RegionUnderTest>;
  let prefix: string;
  let systems = 0;

  const start = (region: Region, on = store): RegionUnderTest =>
    new RegionUnderTest(region, on, { endpoints: etcd.endpoints, credentials, prefix });

  before(async () => {
    const authority = await makeTestAuthority();
    etcd = await startEtcdCluster(await authority.issue('etcd.us-east1'));
    credentials = await authority.issue('database.us-east1');
  });
  after(() => etcd?.stop());

  beforeEach(async () => {
    prefix = `/system-${systems++}/`;
    arbiter = openEtcd({ endpoints: etcd.endpoints, prefix, credentials, rpcMs: RPC_MS, silenceMs: 1000, clock: systemClock });
    store = new MemoryFoundationdb();
    regions = { [PRIMARY]: start(PRIMARY), [EAST]: start(EAST), [WEST]: start(WEST) };
    await regions[PRIMARY].until('writable', ({ writable }) => writable);
  });
  afterEach(async () => {
    store.silent = false;
    await Promise.all(Object.values(regions).map((region) => region.stop()));
    await arbiter.close();
  });

  /** What the leading controller does of a failover, with the old primary told or not. */
  async function failOver(to: Region, tell: readonly Region[]): Promise<readonly Answer[]> {
    const { lease } = await arbiter.read();
    if (lease === null) throw new Error('no lease');
    const epoch = lease.value.epoch + 1;
    const runId = `run-${epoch}`;
    const taken = await arbiter.cas('lease', lease.revision, { epoch, holder: null, incarnation: runId, seq: lease.revision });
    // A renewal came between.
    if (!taken.ok) return await failOver(to, tell);
    const told = await Promise.all(
      tell.map((region) => regions[region].ask('POST', region === lease.value.holder ? '/v1/fence' : '/v1/seal', { epoch, runId })),
    );
    const promoted = await regions[to].ask('POST', '/v1/promote', { epoch, runId, mode: 'sync', set: [], w: 1 });
    return [...told, promoted];
  }

  for (const epoch of [1, 7])
    it(`serves what was restored in an epoch above the ${epoch} that its repository knew`, async () => {
      const restored = new MemoryFoundationdb();
      await changeFence(restored.db, keys.fence, WAIT_MS, () => ({ ...NO_FENCE, epoch, restored: true }));
      prefix = `/system-${systems++}/`;
      const region = start(PRIMARY, restored);
      try {
        expect((await region.until('writable', ({ writable }) => writable)).epoch).to.equal(epoch + 1);
        expect((await region.put('a', 'x')).status).to.equal(200);
      } finally {
        await region.stop();
      }
    });

  it('lets only the configured primary begin; the rule says that one of the others is enough to seal', async () => {
    expect(await regions[PRIMARY].status()).to.deep.include({
      role: 'primary',
      epoch: 1,
      sealedEpoch: 1,
      lastEpoch: 1,
      syncSet: [EAST, WEST],
      w: 2,
    });
    const standby = await regions[EAST].until('standby', ({ role }) => role === 'standby');
    expect(standby).to.deep.include({ writable: false, lastEpoch: 1, upstream: { region: PRIMARY, epoch: 1, lagEntries: 0, ageMs: 0 } });
    expect((await arbiter.read()).replication?.value).to.deep.equal({ epoch: 1, mode: 'sync', set: [EAST, WEST], w: 2 });
  });

  it('serves keys, and no standby does; every region exports the same', async () => {
    const written = await regions[PRIMARY].put('a/ä', 'x');
    expect(written.status).to.equal(200);
    expect(written.json).to.include({ region: PRIMARY, epoch: 1 });
    expect(await regions[PRIMARY].ask('GET', '/v1/kv/a%2F%C3%A4')).to.deep.equal({
      status: 200,
      json: { value: 'x', region: PRIMARY, epoch: 1 },
    });
    expect((await regions[PRIMARY].ask('GET', '/v1/kv/none')).status).to.equal(404);
    const refused = await regions[EAST].put('a', 'y');
    expect(refused.status).to.equal(503);
    expect(refused.json['error']).to.include({ code: 'not-primary', applied: 'no' });
    for (const region of REGIONS) {
      const lines = String((await regions[region].ask('GET', '/v1/export')).json['text'])
        .trim()
        .split('\n');
      expect(lines.map((line) => JSON.parse(line) as object)[1]).to.deep.equal({ key: 'a/ä', value: 'x' });
      expect(lines).to.have.length(2);
    }
    await regions[PRIMARY].ask('DELETE', '/v1/kv/a%2F%C3%A4');
    expect((await regions[PRIMARY].ask('GET', '/v1/kv/a%2F%C3%A4')).status).to.equal(404);
  });

  it('tells every controller that seals or fences the same end of the log, and is promoted with it', async () => {
    const [fence, east, west, promoted] = await failOver(EAST, [PRIMARY, EAST, WEST]);
    for (const answer of [fence, east, west, promoted]) expect(answer?.status).to.equal(200);
    expect(fence?.json['lastEpoch']).to.equal(1);
    expect(new Set([fence, east, west].map((answer) => answer?.json['lastIndex'])).size).to.equal(1);
    expect(promoted?.json).to.include({ region: EAST, epoch: 2, writable: true });
    expect((await regions[EAST].put('a', 'x')).status).to.equal(200);
    expect((await regions[PRIMARY].put('a', 'y')).status).to.equal(503);
    await regions[PRIMARY].until('standby', ({ role }) => role === 'standby');
    // Asked again, as a controller that took over would.
    const again = await regions[EAST].ask('POST', '/v1/promote', { epoch: 2, runId: 'run-2', mode: 'sync', set: [], w: 1 });
    expect(again.json).to.include({ epoch: 2, writable: true });
    expect((await regions[WEST].ask('POST', '/v1/seal', { epoch: 1, runId: 'late' })).status).to.equal(409);
  });

  it('a primary that nobody told is kept out by the database itself', async () => {
    // Its renewals go on being refused in vain: it believes its lease for a while.
    const [promoted] = await failOver(WEST, []);
    expect(promoted?.json).to.include({ epoch: 2, writable: true });
    expect((await regions[PRIMARY].put('late', 'x')).status).to.equal(503);
    expect((await regions[PRIMARY].ask('GET', '/v1/kv/late')).status).to.equal(503);
    expect((await regions[WEST].ask('GET', '/v1/kv/late')).status).to.equal(404);
  });

  it('has no status, cannot be sealed and acknowledges nothing while FoundationDB is silent, and goes on when it is back', async () => {
    store.silent = true;
    expect(await regions[EAST].ask('GET', '/v1/status')).to.have.nested.property('json.error.code', 'database-unavailable');
    const [write, seal] = await Promise.all([
      regions[PRIMARY].put('a', 'x'),
      regions[EAST].ask('POST', '/v1/seal', { epoch: 1, runId: 'r' }),
    ]);
    expect(write).to.have.nested.property('json.error.applied', 'no');
    expect(seal.status).to.equal(503);
    store.silent = false;
    await regions[PRIMARY].until('writable', ({ writable }) => writable);
    expect((await regions[PRIMARY].put('a', 'x')).status).to.equal(200);
  });

  it('a new process of the primary takes the next epoch by itself', async () => {
    await regions[PRIMARY].put('a', 'x');
    await regions[PRIMARY].stop();
    regions[PRIMARY] = start(PRIMARY);
    const status = await regions[PRIMARY].until('writable', ({ writable }) => writable);
    expect(status.epoch).to.equal(2);
    expect((await regions[PRIMARY].ask('GET', '/v1/kv/a')).json['value']).to.equal('x');
  });

  it('does not serve from another cluster, nor begin anew where the arbiter has forgotten and the database has not', async () => {
    await regions[PRIMARY].stop();
    const empty = (regions[PRIMARY] = start(PRIMARY, new MemoryFoundationdb()));
    await systemClock.sleep(500);
    expect(await empty.until('a standby', ({ role }) => role === 'standby')).to.include({ writable: false, lastEpoch: 0 });
    await empty.stop();
    prefix = '/forgotten/';
    regions[PRIMARY] = start(PRIMARY);
    await systemClock.sleep(500);
    expect(await regions[PRIMARY].until('aware of the data', ({ lastEpoch }) => lastEpoch === 1)).to.include({
      writable: false,
      role: 'starting',
    });
  });
});
