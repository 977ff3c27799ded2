import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { DatabaseCluster } from '../testing/database-cluster.ts';
import { FoundationdbCluster, findFoundationdb } from '../testing/foundationdb-cluster.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { REGIONS } from '../testing/test-config.ts';

const MAIN = resolve(import.meta.dirname, '../main.js');
const run = promisify(execFile);
const programs = findFoundationdb();
const [PRIMARY, EAST, WEST] = REGIONS;
const DATA_CENTERS = { [PRIMARY]: 'dc1', [EAST]: 'dc2', [WEST]: 'dc3' };

describe(`database program on FoundationDB${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, () => {
  let foundationdb: FoundationdbCluster;
  let cluster: DatabaseCluster;
  before(async function () {
    if (typeof programs === 'string') return this.skip();
    this.timeout(240_000);
    foundationdb = await FoundationdbCluster.start(programs, 'three_datacenter');
    const database = foundationdbConfig({ clusterFile: foundationdb.clusterFile, library: programs.library }, DATA_CENTERS);
    cluster = await DatabaseCluster.start('sync', { database });
    for (const region of REGIONS) cluster.startProgram('database', region);
    cluster.startProgram('api', PRIMARY);
    await cluster.until(PRIMARY, 'writable', (status) => status.writable);
  });
  after(async () => {
    await cluster?.stop();
    await foundationdb?.stop();
  });

  it('lets only the configured primary begin, and finds the copies of the others in sync', async () => {
    const status = await cluster.until(PRIMARY, 'in sync with both', ({ standbys }) =>
      [EAST, WEST].every((region) => standbys[region]?.inSync === true),
    );
    expect(status).to.deep.include({ role: 'primary', epoch: 1, syncSet: [EAST, WEST], w: 2, mode: 'sync' });
    expect(await cluster.status(EAST)).to.include({ role: 'standby', sealedEpoch: 1, lastEpoch: 1 });
    expect((await cluster.arbiter.read()).replication?.value).to.deep.equal({ epoch: 1, mode: 'sync', set: [EAST, WEST], w: 2 });
  });

  it('acknowledges writes, reads them back, deletes, and refuses at a standby; every region has the same copy', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => cluster.put(PRIMARY, `first-${i}`, `value ${i}`)));
    expect(await cluster.ask('api', PRIMARY, { path: '/v1/kv/first-7' })).to.deep.equal({
      status: 200,
      json: { value: 'value 7', region: PRIMARY, epoch: 1 },
    });
    expect((await cluster.ask('api', PRIMARY, { method: 'DELETE', path: '/v1/kv/first-7' }))?.status).to.equal(200);
    expect((await cluster.ask('api', PRIMARY, { path: '/v1/kv/first-7' }))?.status).to.equal(404);
    const refused = await cluster.put(EAST, 'x', 'y');
    expect(refused?.status).to.equal(503);
    expect(refused?.json['error']).to.include({ code: 'not-primary', applied: 'no' });
    const copies = await Promise.all(REGIONS.map((region) => cluster.exported(region)));
    for (const copy of copies) {
      expect(copy.size).to.equal(49);
      expect(copy.get('first-8')).to.equal('value 8');
    }
  });

  it('moves to another region: what was acknowledged is there, the old primary acknowledges nothing any more', async () => {
    await cluster.failOver(EAST, null);
    await cluster.until(EAST, 'writable', (status) => status.writable && status.epoch === 2);
    const late = await cluster.put(PRIMARY, 'late', 'x');
    expect(late?.status).to.equal(503);
    expect((await cluster.put(EAST, 'second', 'x'))?.status).to.equal(200);
    const copy = await cluster.exported(WEST);
    expect(copy.get('second')).to.equal('x');
    expect(copy.has('late')).to.equal(false);
    expect(copy.size).to.equal(50);
    await cluster.until(PRIMARY, 'standby', (status) => status.role === 'standby');
  });

  it('a frozen primary that wakes up after another was promoted acknowledges nothing', async () => {
    cluster.signal('database', EAST, 'SIGSTOP');
    await cluster.failOver(WEST, null);
    await cluster.until(WEST, 'writable', (status) => status.writable && status.epoch === 3);
    const late = cluster.put(EAST, 'late', 'x');
    cluster.signal('database', EAST, 'SIGCONT');
    expect((await late)?.status).to.equal(503);
    expect((await cluster.exported(WEST)).has('late')).to.equal(false);
    await cluster.until(EAST, 'standby', (status) => status.role === 'standby');
  });

  it('a restarted primary takes the next epoch and goes on', async () => {
    await cluster.end('database', WEST, 'SIGKILL');
    cluster.startProgram('database', WEST);
    const status = await cluster.until(WEST, 'writable again', ({ writable }) => writable);
    expect(status.epoch).to.equal(4);
    expect((await cluster.put(WEST, 'third', 'x'))?.status).to.equal(200);
  });

  it('is backed up by the service beside it, again and again, which ends when it is told to', async () => {
    const store = join(cluster.folder, 'backups');
    mkdirSync(store);
    const file = join(cluster.folder, WEST, 'backup-service.yaml');
    const backup = {
      cluster: { id: 'lab' },
      store: { kind: 'folder', path: join(store, 'store') },
      keys: { kind: 'local-file', path: join(store, 'backup.key') },
      signing: { key_file: join(store, 'signing.pem') },
      interval_seconds: 1,
      jitter_seconds: 0,
      verify_seconds: 1,
    };
    writeFileSync(
      file,
      JSON.stringify({ ...(JSON.parse(readFileSync(join(cluster.folder, WEST, 'database.yaml'), 'utf8')) as object), backup }),
    );
    await run(process.execPath, [MAIN, 'backup', 'init', '--config', file]);
    const service = cluster.startProgram('backup-service', WEST);
    const seen = (action: string): number =>
      cluster.logs.filter((line) => line['program'] === 'backup-service' && line['action'] === action).length;
    for (let i = 0; i < 300 && (seen('backup_complete') < 2 || seen('backup_verified') < 1); i++) await systemClock.sleep(200);
    service.kill('SIGTERM');
    expect(await once(service, 'exit')).to.deep.equal([0, null]);
    const { stdout } = await run(process.execPath, [MAIN, 'backup', 'list', '--json', '--config', file]);
    const listed = JSON.parse(stdout) as readonly { readonly problem: string | null; readonly records: number }[];
    expect(listed.length).to.be.greaterThan(1);
    const there = (await cluster.exported(WEST)).size;
    expect(listed.map(({ problem, records }) => ({ problem, records }))).to.deep.equal(
      listed.map(() => ({ problem: null, records: there })),
    );
    expect(seen('backup_verified')).to.be.greaterThan(0);
  });

  it('has no status while FoundationDB recovers from the loss of a data centre, and loses nothing that was acknowledged', async function () {
    this.timeout(240_000);
    const primaryDc = String((await foundationdb.status()).cluster?.active_primary_dc);
    expect(Object.values(DATA_CENTERS)).to.include(primaryDc);
    const acknowledged: string[] = [];
    let stopped = false;
    const writing = (async () => {
      for (let i = 0; !stopped; i++) if ((await cluster.put(WEST, `during-${i}`, 'x'))?.status === 200) acknowledged.push(`during-${i}`);
    })();
    foundationdb.signal(primaryDc, 'SIGKILL');
    await cluster.until(WEST, 'serving with a data centre missing', ({ writable, standbys }) => {
      const lost = Object.entries(DATA_CENTERS).find(([, dc]) => dc === primaryDc)?.[0] ?? '';
      return writable && (lost === WEST || standbys[lost]?.inSync === false);
    });
    const before = acknowledged.length;
    for (let i = 0; i < 50 && acknowledged.length <= before + 20; i++) await new Promise((resolve) => setTimeout(resolve, 200));
    stopped = true;
    await writing;
    expect(acknowledged.length).to.be.greaterThan(before);
    const copy = await cluster.exported(PRIMARY);
    expect(acknowledged.filter((key) => !copy.has(key))).to.deep.equal([]);
    await foundationdb.restart(primaryDc);
    await foundationdb.untilHealthy();
  });
});
