import { expect } from 'chai';
import type { Database } from 'foundationdb';
import { FoundationdbCluster, findFoundationdb } from '../testing/foundationdb-cluster.ts';
import { systemClock } from '../platform/clock.ts';
import { logTo } from '../telemetry/log.ts';
import { openCluster } from './client.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import { conditionOf } from './cluster-view.ts';
import { readAll, readKey, writeKey, type Authority } from './data.ts';
import { openFence, raiseFence, readFence } from './fence.ts';
import { keySpaceOf, type KeySpace } from './key-space.ts';
import { lockUid } from './lock-uid.ts';
import { lockDatabase, lockOf, unlockDatabase } from './lock.ts';
import { transact, type Outcome } from './transaction.ts';

const programs = findFoundationdb();
const LIMIT_MS = 5000;
const FIRST: Authority = { epoch: 1, region: 'us-central1' };
const SECOND: Authority = { epoch: 2, region: 'us-east1' };
const UID = { system: 'orders', epoch: 3 };

function done<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

describe(`FoundationDB adapter${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, () => {
  let cluster: FoundationdbCluster;
  let db: Database;
  let spaces = 0;
  before(async function () {
    if (typeof programs === 'string') return this.skip();
    cluster = await FoundationdbCluster.start(programs, 'single');
    db = openCluster({ clusterFile: cluster.clusterFile, library: programs.library, tls: null });
  });
  after(async () => {
    db?.close();
    await cluster?.stop();
  });

  /** A key space of its own, served by FIRST. */
  async function served(): Promise<KeySpace> {
    const keys = keySpaceOf(`test-${spaces++}/`);
    done(await openFence(db, keys.fence, FIRST, LIMIT_MS));
    return keys;
  }
  const put = (keys: KeySpace, by: Authority, key: string, value: string) => writeKey({ db, keys }, by, key, value, LIMIT_MS);
  const get = (keys: KeySpace, by: Authority, key: string) => readKey({ db, keys }, by, key, LIMIT_MS);
  async function copyOf(keys: KeySpace): Promise<readonly (readonly [string, string])[]> {
    const rows: [string, string][] = [];
    for await (const { key, value } of (await readAll({ db, keys }, LIMIT_MS)).rows) rows.push([key, value]);
    return rows;
  }

  it('writes, reads, deletes; versions grow', async () => {
    const keys = await served();
    const first = await put(keys, FIRST, 'a', '1');
    const second = await put(keys, FIRST, 'a', 'zwei ✓');
    expect(done(first)).to.deep.equal({ kind: 'allowed', value: null });
    expect((second as { version: number }).version).to.be.greaterThan((first as { version: number }).version);
    expect(done(await get(keys, FIRST, 'a'))).to.deep.equal({ kind: 'allowed', value: 'zwei ✓' });
    done(await writeKey({ db, keys }, FIRST, 'a', null, LIMIT_MS));
    expect(done(await get(keys, FIRST, 'a'))).to.deep.equal({ kind: 'allowed', value: null });
  });

  it('refuses whoever the fence does not name, for writing and for reading', async () => {
    const keys = await served();
    done(await put(keys, FIRST, 'a', 'right'));
    const strangers: readonly Authority[] = [SECOND, { ...FIRST, epoch: 0 }, { ...FIRST, region: 'us-east1' }];
    for (const stranger of strangers) {
      expect(done(await put(keys, stranger, 'a', 'wrong'))).to.deep.equal({ kind: 'fenced', epoch: 1 });
      expect(done(await get(keys, stranger, 'a'))).to.deep.equal({ kind: 'fenced', epoch: 1 });
    }
    expect(done(await get(keys, FIRST, 'a'))).to.deep.equal({ kind: 'allowed', value: 'right' });
  });

  it('lets nothing of a lower epoch through once the fence is raised, and nothing of the new one before it is opened', async () => {
    const keys = await served();
    done(await put(keys, FIRST, 'a', 'before'));
    expect(done(await raiseFence(db, keys.fence, 2, LIMIT_MS)).kind).to.equal('set');
    expect(done(await put(keys, FIRST, 'a', 'late')).kind).to.equal('fenced');
    expect(done(await put(keys, SECOND, 'a', 'early')).kind).to.equal('fenced');
    done(await openFence(db, keys.fence, SECOND, LIMIT_MS));
    expect(done(await get(keys, SECOND, 'a'))).to.deep.equal({ kind: 'allowed', value: 'before' });
    expect(done(await openFence(db, keys.fence, FIRST, LIMIT_MS)).kind).to.equal('passed');
    expect(done(await raiseFence(db, keys.fence, 1, LIMIT_MS)).kind).to.equal('passed');
  });

  it('a write that is under way when the fence is raised is not committed', async () => {
    const keys = await served();
    const transaction = db.rawCreateTransaction({ timeout: LIMIT_MS });
    expect((await readFence(transaction, keys.fence)).epoch).to.equal(1);
    transaction.set(Buffer.concat([keys.data, Buffer.from('a')]), 'under way');
    done(await raiseFence(db, keys.fence, 2, LIMIT_MS));
    const error = await transaction.rawCommit().then(
      () => null,
      (thrown: { code: number }) => thrown.code,
    );
    expect(error).to.equal(1020);
    expect(await copyOf(keys)).to.deep.equal([]);
  });

  it('of 200 concurrent writes, the ones that were acknowledged are there and the others are not', async () => {
    const keys = await served();
    const writing = Array.from({ length: 200 }, async (_, i) => [String(i), await put(keys, FIRST, String(i), 'x')] as const);
    const raised = raiseFence(db, keys.fence, 2, LIMIT_MS);
    const outcomes = await Promise.all(writing);
    done(await raised);
    const acknowledged = outcomes.filter(([, outcome]) => done(outcome).kind === 'allowed').map(([key]) => key);
    expect((await copyOf(keys)).map(([key]) => key)).to.have.members(acknowledged);
  });

  it('tells everybody who raises the same epoch the same', async () => {
    const keys = await served();
    const raised = await Promise.all([1, 2, 3].map(() => raiseFence(db, keys.fence, 2, LIMIT_MS)));
    const fences = raised.map((outcome) => done(outcome).fence);
    expect(new Set(fences.map(({ version }) => version)).size).to.equal(1);
    expect(fences[0]).to.include({ epoch: 2, servedEpoch: 1, servedBy: 'us-central1' });
    expect(fences[0]?.version).to.be.greaterThan(0);
  });

  it('copies all data at one version, sorted, and nothing of another key space', async () => {
    const [keys, other] = [await served(), await served()];
    for (const key of ['b', 'a', 'a/0', 'ä', 'z']) done(await put(keys, FIRST, key, key));
    done(await put(other, FIRST, 'x', 'x'));
    expect(await copyOf(keys)).to.deep.equal([
      ['a', 'a'],
      ['a/0', 'a/0'],
      ['b', 'b'],
      ['z', 'z'],
      ['ä', 'ä'],
    ]);
  });

  it('refuses what is too large, and says that nothing was applied', async () => {
    const keys = await served();
    const outcome = await put(keys, FIRST, 'a', 'x'.repeat(100_001));
    expect(outcome).to.include({ kind: 'not-done', reason: 'refused' });
    expect((outcome as { message: string }).message).to.contain('2103');
  });

  it('locks under a UID that carries the epoch; only its holder unlocks', async () => {
    const keys = await served();
    expect(done(await lockDatabase(db, UID, LIMIT_MS))).to.deep.equal({ kind: 'held' });
    expect(done(await lockDatabase(db, UID, LIMIT_MS))).to.deep.equal({ kind: 'held' });
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(lockUid(UID));
    const startedMs = systemClock.monotonicMs();
    expect(await put(keys, FIRST, 'a', 'x')).to.include({ kind: 'not-done', reason: 'locked' });
    // At once, not after the time limit: nobody waits for somebody else to unlock.
    expect(systemClock.monotonicMs() - startedMs).to.be.lessThan(LIMIT_MS / 2);
    const other = { ...UID, epoch: 4 };
    for (const outcome of [await unlockDatabase(db, other, LIMIT_MS), await lockDatabase(db, other, LIMIT_MS)])
      expect(done(outcome)).to.deep.equal({ kind: 'foreign', uid: lockUid(UID) });
    expect(done(await unlockDatabase(db, UID, LIMIT_MS))).to.deep.equal({ kind: 'free' });
    expect(done(await unlockDatabase(db, UID, LIMIT_MS))).to.deep.equal({ kind: 'free' });
    expect(done(await put(keys, FIRST, 'a', 'x')).kind).to.equal('allowed');
  });

  it('finds its status healthy, and the data centre', async () => {
    const log = logTo({ write: () => undefined }, { component: 'test', region: 'x', clock: systemClock });
    const monitor = new ClusterMonitor({
      db,
      clock: systemClock,
      log,
      dataCenters: ['dc1'],
      periodMs: 50,
      asker: { cluster: null, fdbcli: 'fdbcli' },
    });
    const ending = new AbortController();
    const running = monitor.run(ending.signal);
    while (monitor.seen.askedAtMs === null) await systemClock.sleep(20);
    ending.abort();
    await running;
    expect(conditionOf(monitor.seen.view, ['dc1'])).to.deep.equal({ kind: 'healthy' });
    expect(conditionOf(monitor.seen.view, ['dc1', 'dc2']).kind).to.equal('degraded');
  });

  // The last: the cluster stands still.
  it('does not wait longer than it may for a server that stands still, and does not say that nothing was applied', async () => {
    const keys = await served();
    cluster.signal('dc1', 'SIGSTOP');
    const startedMs = systemClock.monotonicMs();
    const [write, read] = await Promise.all([
      writeKey({ db, keys }, FIRST, 'a', 'x', 700),
      transact(db, async (transaction) => ({ commit: false, value: await transaction.get('x') }), { timeoutMs: 700 }),
    ]);
    expect(systemClock.monotonicMs() - startedMs).to.be.lessThan(3000);
    expect(read).to.include({ kind: 'not-done', reason: 'silent' });
    expect(write.kind).to.be.oneOf(['not-done', 'unknown']);
    cluster.signal('dc1', 'SIGCONT');
    expect(done(await put(keys, FIRST, 'b', 'x')).kind).to.equal('allowed');
  });
});
