import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { DatabaseCluster } from '../testing/database-cluster.ts';
import { PATIENT, REGIONS, type Region } from '../testing/test-config.ts';

const [PRIMARY, EAST, WEST] = REGIONS;

async function putAll(cluster: DatabaseCluster, region: Region, entries: Readonly<Record<string, string>>): Promise<void> {
  for (const [key, value] of Object.entries(entries)) expect((await cluster.put(region, key, value))?.status, key).to.equal(200);
}

async function startAll(mode: 'sync' | 'async'): Promise<DatabaseCluster> {
  const cluster = await DatabaseCluster.start(mode);
  for (const region of REGIONS) cluster.startProgram('database', region);
  await cluster.until(PRIMARY, 'in sync', ({ writable, standbys }) => writable && Object.values(standbys).every(({ inSync }) => inSync));
  return cluster;
}

describe('database program through a failover, synchronous', () => {
  let cluster: DatabaseCluster;
  before(async () => (cluster = await startAll('sync')));
  after(async () => cluster.stop());

  it('stops by itself while it is stopped by others: a primary that slept too long acknowledges nothing when it wakes', async () => {
    await putAll(cluster, PRIMARY, { before: '1' });
    cluster.signal('database', PRIMARY, 'SIGSTOP');
    // Nobody confirms the fence: the lease must be over for certain.
    await systemClock.sleep(PATIENT.successorWaitsMs);
    await cluster.failOver(EAST, WEST);
    await putAll(cluster, EAST, { after: '2' });
    const late = cluster.put(PRIMARY, 'late', 'x');
    const stale = cluster.ask('api', PRIMARY, { path: '/v1/kv/before' });
    cluster.signal('database', PRIMARY, 'SIGCONT');
    expect((await late)?.status).to.equal(503);
    expect((await stale)?.status).to.equal(503);
    const status = await cluster.until(EAST, 'complete again', ({ syncSet }) => syncSet.includes(PRIMARY) && syncSet.includes(WEST));
    expect(status).to.deep.include({ role: 'primary', epoch: 2 });
    await cluster.until(PRIMARY, 'a standby', ({ role, epoch }) => role === 'standby' && epoch === 2);
  });

  it('has everything acknowledged in every region afterwards', async () => {
    const { commitIndex } = await cluster.until(EAST, 'there', () => true);
    for (const region of REGIONS) {
      await cluster.until(region, 'caught up', (status) => status.commitIndex >= commitIndex);
      expect([...(await cluster.exported(region))]).to.deep.equal([
        ['after', '2'],
        ['before', '1'],
      ]);
    }
  });

  it('refuses to be sealed, fenced or promoted under a passed epoch, and repeats what it has done already', async () => {
    for (const what of ['seal', 'fence'] as const) {
      const answer = await cluster.ask('controller', EAST, {
        method: 'POST',
        path: `/v1/${what}`,
        body: JSON.stringify({ epoch: 1, runId: 'old' }),
      });
      expect(answer?.status, what).to.equal(409);
      expect(answer?.json['error']).to.include({ code: 'epoch-passed', applied: 'no' });
    }
    const again = await cluster.command(EAST, 'promote', { epoch: 2, runId: 'test-2', mode: 'sync', set: [WEST], w: 1 });
    expect(again.json).to.include({ region: EAST, epoch: 2, writable: true });
    const other = await cluster.ask('controller', WEST, {
      method: 'POST',
      path: '/v1/promote',
      body: JSON.stringify({ epoch: 2, runId: 'x', mode: 'sync', set: [EAST], w: 1 }),
    });
    expect(other?.status).to.equal(409);
  });

  it('acknowledges nothing from the moment it confirms a fence', async () => {
    const answer = await cluster.command(EAST, 'fence', { epoch: 3, runId: 'planned' });
    expect(answer.json).to.include({ region: EAST, epoch: 3 });
    const refused = await cluster.put(EAST, 'fenced', 'x');
    expect(refused?.status).to.equal(503);
    expect(refused?.json['error']).to.include({ applied: 'no' });
    await cluster.failOver(PRIMARY, WEST);
    await putAll(cluster, PRIMARY, { back: 'home' });
  });

  it('takes no lease for an empty disk under the name of its holder', async () => {
    // Whom this test promotes is not chosen by its log: both must hold everything.
    await cluster.until(
      PRIMARY,
      'held by all',
      ({ writable, standbys }) => writable && Object.values(standbys).every(({ inSync, lagEntries }) => inSync && lagEntries === 0),
    );
    await cluster.end('database', PRIMARY, 'SIGKILL');
    rmSync(join(cluster.folder, PRIMARY, 'data'), { recursive: true });
    cluster.startProgram('database', PRIMARY);
    const refused = (): number => cluster.logs.filter(({ action, region }) => action === 'not_reacquired' && region === PRIMARY).length;
    // What it logged comes another way than its status, and may come later.
    await cluster.until(PRIMARY, 'a standby that said why', ({ role }) => role === 'standby' && refused() > 0);
    expect(refused()).to.equal(1);
    await cluster.failOver(EAST, WEST);
    const { commitIndex } = await cluster.until(EAST, 'complete', ({ standbys }) => standbys[PRIMARY]?.inSync === true);
    await cluster.until(PRIMARY, 'resynchronised', (status) => status.commitIndex >= commitIndex);
    expect((await cluster.exported(PRIMARY)).get('back')).to.equal('home');
  });

  it('goes on while no arbiter answers, as long as every standby promises, and under the same epoch when it is back', async () => {
    const { epoch } = await cluster.until(EAST, 'writable', ({ writable, standbys }) => writable && standbys[WEST]?.inSync === true);
    for (const member of [0, 1, 2]) cluster.signalEtcd(member, 'SIGSTOP');
    await cluster.until(EAST, 'under direct leases', ({ writable, lease }) => writable && lease?.by === 'standbys');
    expect((await cluster.status(WEST))?.promised).to.include({ to: EAST, epoch });
    expect((await cluster.put(EAST, 'without', 'arbiter'))?.status).to.equal(200);

    cluster.signal('database', PRIMARY, 'SIGSTOP');
    await cluster.until(EAST, 'fenced by itself', ({ writable, lease }) => !writable && lease === null);
    expect((await cluster.put(EAST, 'nobody', 'knows'))?.json['error']).to.include({ applied: 'no' });
    cluster.signal('database', PRIMARY, 'SIGCONT');
    await cluster.until(EAST, 'under direct leases again', ({ writable, lease }) => writable && lease?.by === 'standbys');

    for (const member of [0, 1, 2]) cluster.signalEtcd(member, 'SIGCONT');
    const status = await cluster.until(EAST, 'under the arbiter again', ({ writable, lease }) => writable && lease?.by === 'arbiter');
    expect(status.epoch).to.equal(epoch);
    expect((await cluster.ask('api', EAST, { path: '/v1/kv/without' }))?.json).to.include({ value: 'arbiter', epoch });
  });
});

describe('database program through a failover, asynchronous', () => {
  let cluster: DatabaseCluster;
  before(async () => (cluster = await startAll('async')));
  after(async () => cluster.stop());

  it('exports what only the lost primary had, then takes the copy of the new one', async () => {
    await putAll(cluster, PRIMARY, { shared: '1', gone: 'old' });
    await cluster.until(EAST, 'caught up', ({ commitIndex }) => commitIndex >= 3);
    for (const region of [EAST, WEST]) await cluster.end('database', region, 'SIGKILL');
    await putAll(cluster, PRIMARY, { lost: 'ü', gone: 'new' });
    await cluster.end('database', PRIMARY, 'SIGKILL');
    for (const region of [EAST, WEST]) {
      cluster.startProgram('database', region);
      await cluster.until(region, 'a standby', ({ role }) => role === 'standby');
    }
    await cluster.failOver(EAST, WEST);
    await putAll(cluster, EAST, { later: '2' });
    cluster.startProgram('database', PRIMARY);
    const { commitIndex } = await cluster.until(EAST, 'complete', ({ standbys }) => standbys[PRIMARY]?.inSync === true);
    await cluster.until(PRIMARY, 'resynchronised', (status) => status.commitIndex >= commitIndex);
    expect([...(await cluster.exported(PRIMARY))]).to.deep.equal([...(await cluster.exported(EAST))]);
    expect((await cluster.exported(PRIMARY)).get('gone')).to.equal('old');
    const tails = await cluster.ask('api', PRIMARY, { path: '/v1/divergent' });
    expect(tails?.json).to.deep.equal({
      file: '1-4.ndjson',
      entries: [
        { epoch: 1, index: 4, op: 'put', key: 'lost', value: 'ü' },
        { epoch: 1, index: 5, op: 'put', key: 'gone', value: 'new' },
      ],
    });
    expect(readdirSync(join(cluster.folder, PRIMARY, 'data', 'divergent'))).to.deep.equal(['1-4.ndjson']);
    expect(cluster.logs.map(({ action }) => action)).to.include.members([
      'divergent_tail_exported',
      'resync_complete',
      'promoted',
      'epoch_acquired',
      'sealed',
      'writable',
    ]);
  });
});
