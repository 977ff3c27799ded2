import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { DatabaseCluster, type Answer } from '../testing/database-cluster.ts';
import { REGIONS, type Region } from '../testing/test-config.ts';

const [PRIMARY, EAST, WEST] = REGIONS;

async function putMany(cluster: DatabaseCluster, region: Region, prefix: string, count: number): Promise<ReadonlyMap<string, string>> {
  const acknowledged = new Map<string, string>();
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const answer = await cluster.put(region, `${prefix}-${i}`, `value ${i}`);
      if (answer?.status === 200) acknowledged.set(`${prefix}-${i}`, `value ${i}`);
    }),
  );
  return acknowledged;
}

/** What the api of a region tells of its health, once that is well: it starts at a pace of its own, and on a busy machine a database may have its answer late. */
async function health(cluster: DatabaseCluster, region: Region): Promise<Answer['json'] | undefined> {
  let told: Answer | null = null;
  for (let tries = 0; tries < 1000 && told?.json['status'] !== 'Healthy'; tries++) {
    if (tries > 0) await systemClock.sleep(50);
    told = await cluster.ask('client', region, { path: '/health', toApi: true });
  }
  return told?.json;
}

async function expectHolds(cluster: DatabaseCluster, region: Region, wanted: ReadonlyMap<string, string>): Promise<void> {
  const found = await cluster.exported(region);
  expect(
    [...wanted].filter(([key, value]) => found.get(key) !== value),
    `acknowledged, but not in ${region}`,
  ).to.deep.equal([]);
}

describe('database program, synchronous', () => {
  let cluster: DatabaseCluster;
  const acknowledged = new Map<string, string>();
  const note = (more: ReadonlyMap<string, string>): void => more.forEach((value, key) => acknowledged.set(key, value));
  before(async () => {
    cluster = await DatabaseCluster.start('sync');
    for (const region of REGIONS) cluster.startProgram('database', region);
    cluster.startProgram('api', PRIMARY);
    cluster.startProgram('api', EAST);
    await cluster.until(PRIMARY, 'writable', (status) => status.writable);
  });
  after(async () => cluster.stop());

  it('lets only the configured primary begin, with all standbys in the set', async () => {
    const status = await cluster.until(PRIMARY, 'in sync with both', ({ standbys }) =>
      Object.values(standbys).every(({ inSync }) => inSync),
    );
    expect(status).to.deep.include({ role: 'primary', epoch: 1, w: 1, mode: 'sync' });
    expect(status.syncSet).to.have.members([EAST, WEST]); // in the order in which they came
    expect((await cluster.status(EAST))?.role).to.equal('standby');
  });

  it('acknowledges concurrent writes, reads them back, deletes, and refuses both at a standby', async () => {
    note(await putMany(cluster, PRIMARY, 'first', 100));
    expect(acknowledged.size).to.equal(100);
    expect(await cluster.ask('api', PRIMARY, { path: '/v1/kv/first-7' })).to.deep.equal({
      status: 200,
      json: { value: 'value 7', region: PRIMARY, epoch: 1 },
    });
    expect((await cluster.ask('api', PRIMARY, { method: 'DELETE', path: '/v1/kv/first-7' }))?.status).to.equal(200);
    acknowledged.delete('first-7');
    expect((await cluster.ask('api', PRIMARY, { path: '/v1/kv/first-7' }))?.status).to.equal(404);
    const refused = await cluster.put(EAST, 'x', 'y');
    expect(refused?.status).to.equal(503);
    expect(refused?.json['error']).to.include({ code: 'not-primary', applied: 'no' });
    expect((await cluster.ask('api', EAST, { path: '/v1/kv/first-8' }))?.status).to.equal(503);
  });

  it('serves the same through the api, which tells the health of its region', async () => {
    expect(await health(cluster, PRIMARY)).to.deep.include({ region: PRIMARY, status: 'Healthy', score: 1, role: 'primary', epoch: 1 });
    expect(await health(cluster, EAST)).to.deep.include({ status: 'Healthy', role: 'standby' });
    const answer = await cluster.ask('client', PRIMARY, { method: 'PUT', path: '/v1/kv/by%2Fapi', body: 'ü', toApi: true });
    expect(answer?.status).to.equal(200);
    note(new Map([['by/api', 'ü']]));
    expect((await cluster.ask('client', PRIMARY, { path: '/metrics', toApi: true }))?.json['text']).to.match(
      /coditect_dr_request_seconds_count\{.*method="PUT"/,
    );
  });

  it('ships everything to the standbys', async () => {
    const { commitIndex } = await cluster.until(PRIMARY, 'there', () => true);
    for (const region of [EAST, WEST]) {
      await cluster.until(region, 'caught up', (status) => status.commitIndex >= commitIndex);
      await expectHolds(cluster, region, acknowledged);
      expect((await cluster.exported(region)).has('first-7')).to.equal(false);
    }
  });

  it('takes the next epoch after SIGKILL under writes and has lost nothing acknowledged', async () => {
    const writing = putMany(cluster, PRIMARY, 'killed', 200);
    await cluster.until(PRIMARY, 'writing', ({ lastIndex }) => lastIndex > 120);
    await cluster.end('database', PRIMARY, 'SIGKILL');
    note(await writing);
    cluster.startProgram('database', PRIMARY);
    const status = await cluster.until(PRIMARY, 'writable', ({ writable }) => writable);
    expect(status).to.deep.include({ epoch: 2, role: 'primary' });
    note(await putMany(cluster, PRIMARY, 'again', 20));
    await expectHolds(cluster, PRIMARY, acknowledged);
  });

  it('drops a dead standby from the set and writes go on; takes it in again when it has caught up', async () => {
    await cluster.end('database', WEST, 'SIGKILL');
    await cluster.until(PRIMARY, 'without it', ({ syncSet }) => !syncSet.includes(WEST));
    const more = await putMany(cluster, PRIMARY, 'one-left', 20);
    expect(more.size).to.equal(20);
    note(more);
    cluster.startProgram('database', WEST);
    await cluster.until(PRIMARY, 'with it', ({ syncSet }) => syncSet.includes(WEST));
  });

  it('lets writes wait while no standby is there, says that they were not applied, and goes on when one is back', async () => {
    await Promise.all([cluster.end('database', EAST, 'SIGKILL'), cluster.end('database', WEST, 'SIGKILL')]);
    await cluster.until(PRIMARY, 'alone', ({ standbys }) => Object.values(standbys).every(({ inSync }) => !inSync));
    const answer = await cluster.put(PRIMARY, 'nobody', 'there');
    expect(answer?.status).to.equal(503);
    expect(answer?.json['error']).to.include({ code: 'no-sync-standby', applied: 'no' });
    expect((await cluster.status(PRIMARY))?.syncSet).to.have.length.greaterThan(0);
    for (const region of [EAST, WEST]) cluster.startProgram('database', region);
    await cluster.until(
      PRIMARY,
      'with both',
      ({ syncSet, standbys }) => syncSet.length === 2 && Object.values(standbys).every(({ inSync }) => inSync),
    );
    expect((await cluster.exported(PRIMARY)).has('nobody')).to.equal(false);
    note(await putMany(cluster, PRIMARY, 'back', 20));
    await expectHolds(cluster, PRIMARY, acknowledged);
  });

  it('ends on SIGTERM with code 0', async () => {
    expect(await cluster.end('database', PRIMARY, 'SIGTERM')).to.equal(0);
  });
});
