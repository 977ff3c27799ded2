import { expect } from 'chai';
import type { Database } from 'foundationdb';
import { join } from 'node:path';
import type { Manifest } from '../backup/format/manifest.ts';
import type { RemoteDatabase } from '../database/remote-snapshot.ts';
import type { RemoteTarget } from '../database/remote-target.ts';
import { systemClock } from '../platform/clock.ts';
import { BackupLab } from '../testing/backup-lab.ts';
import {
  backUp,
  backupCommands,
  withPut,
  contentIn,
  done,
  fill,
  nameOf,
  reading,
  readNow,
  restoreInto,
  withPause,
  write,
  type Filled,
} from '../testing/foundationdb-backups.ts';
import { findFoundationdb, FoundationdbCluster } from '../testing/foundationdb-cluster.ts';
import { openCluster } from './client.ts';
import { writeKey, type Authority } from './data.ts';
import { NO_FENCE, openFence, readFence, type Fence } from './fence.ts';
import { afterPrefix, keySpaceOf, type KeySpace } from './key-space.ts';
import { lockUid } from './lock-uid.ts';
import { lockDatabase, lockOf, unlockDatabase } from './lock.ts';
import { foundationdbToFill } from './remote-target.ts';
import type { Outcome } from './transaction.ts';

const programs = findFoundationdb();
const LIMIT_MS = 10_000;
const BY: Authority = { epoch: 4, region: 'us-east1' };
const LOCK = { system: 'backup of lab', epoch: 1 };
const RESTORE_LOCK = { system: 'restore of lab', epoch: 1 };
const RECORDS = 3000;

describe(`backups of FoundationDB${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, function () {
  this.timeout(300_000);
  let cluster: FoundationdbCluster;
  let db: Database;
  let lab: BackupLab;
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
  beforeEach(async () => (lab = await BackupLab.open()));
  afterEach(async () => await lab?.close());

  const put = async (keys: KeySpace, key: string, value: string | null): Promise<Outcome<unknown>> =>
    await writeKey({ db, keys }, BY, key, value, LIMIT_MS);
  const filled = async (): Promise<Filled> => await fill(db, `test-${spaces++}/`, { records: RECORDS, by: BY });
  const empty = (): KeySpace => keySpaceOf(`test-${spaces++}/`);
  const toRead = (keys: KeySpace, locks = false): RemoteDatabase => reading({ db, keys, lock: LOCK, locks });
  const back = async (database: RemoteDatabase): Promise<Manifest> => await backUp(lab, database);
  const target = (keys: KeySpace): RemoteTarget => foundationdbToFill({ db, keys, lock: RESTORE_LOCK });
  const restore = async (manifest: Manifest, into: RemoteTarget): Promise<void> => await restoreInto(lab, manifest, into);
  const contentOf = async (keys: KeySpace): Promise<Map<string, string>> => await contentIn({ db, keys });
  const fenceOf = async (keys: KeySpace): Promise<Fence> => await readNow(db, (transaction) => readFence(transaction, keys.fence));

  it('are of one version however much is written meanwhile, and restored into an emptied cluster it is all there, and nothing else', async () => {
    const { keys, content } = await filled();
    const writes: { version: number; key: string; value: string | null }[] = [];
    const over = new AbortController();
    const writer = async (number: number): Promise<void> => {
      for (let n = 0; !over.signal.aborted; n++) {
        const key = n % 5 === 4 ? `new/${number}-${n}` : nameOf((n * 7919 + number * 631) % RECORDS);
        const value = n % 3 === 2 ? null : `${number} changed it ${n}`;
        const outcome = await put(keys, key, value);
        if (outcome.kind === 'done') writes.push({ version: outcome.version, key, value });
      }
    };
    const writing = [0, 1, 2, 3].map(writer);
    let manifest: Manifest;
    try {
      while (writes.length < 20) await systemClock.sleep(5);
      // At least some are committed after its version and before it is read.
      const more = async (): Promise<void> => {
        for (const from = writes.length; writes.length < from + 50;) await systemClock.sleep(5);
      };
      manifest = await back(withPause(toRead(keys), more));
    } finally {
      over.abort();
      await Promise.all(writing);
    }
    expect(manifest).to.deep.include({ consistency: 'exact', generation: '4' });
    expect(manifest.database).to.deep.equal({ kind: 'foundationdb', version: '1', region: 'us-east1', snapshot: 'copy-on-write' });
    const version = Number(manifest.readVersion);
    const expected = new Map(content);
    for (const { key, value } of writes.filter((done) => done.version <= version).toSorted((a, b) => a.version - b.version))
      if (value === null) expected.delete(key);
      else expected.set(key, value);
    expect(writes.filter((done) => done.version > version).length).to.be.at.least(50);

    await write(db, (transaction) => transaction.clearRange(keys.all, afterPrefix(keys.all)));
    await restore(manifest, target(keys));
    const restored = await contentOf(keys);
    expect(restored.size).to.equal(expected.size);
    expect([...restored].filter(([key, value]) => expected.get(key) !== value)).to.deep.equal([]);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
    // Served next above all epochs that the repository knows.
    const fence = await fenceOf(keys);
    expect(fence).to.deep.equal({ ...NO_FENCE, epoch: 9, restored: true, version: fence.version });
    // The same data under the same key has the same root, whatever it was read from.
    done(await openFence(db, keys.fence, { epoch: 10, region: 'us-east1' }, LIMIT_MS));
    expect((await back(toRead(keys))).ranges[0]?.root).to.equal(manifest.ranges[0]?.root);
  });

  it('keep what a write replaces in parts that are not read yet, and would be wrong without', async () => {
    const { keys, content } = await filled();
    const last = nameOf(RECORDS - 1);
    const change = async (): Promise<void> => {
      for (const [key, value] of [
        [last, 'changed'],
        [nameOf(RECORDS - 2), null],
        ['zz/new', 'made'],
        [last, 'changed again'],
      ] as const)
        done(await put(keys, key, value));
    };
    const manifest = await back(withPause(toRead(keys), change));
    expect((await contentOf(keys)).get(last)).to.equal('changed again');
    expect(await lab.restore(manifest, 'embedded')).to.deep.equal(content);
    // Nothing of it stays.
    const kept = await db.rawCreateTransaction().getRangeAll(keys.kept, afterPrefix(keys.kept));
    expect(kept).to.deep.equal([]);
  });

  it('lock everybody out where that is asked for, and nobody after', async () => {
    const { keys, content } = await filled();
    let during: Outcome<unknown> | null = null;
    const manifest = await back(withPause(toRead(keys, true), async () => void (during = await put(keys, 'late', 'x'))));
    expect(during).to.include({ kind: 'not-done', reason: 'locked' });
    expect(manifest.database).to.include({ snapshot: 'locked' });
    expect(done(await put(keys, 'later', 'x'))).to.deep.include({ kind: 'allowed' });
    expect(await lab.restore(manifest, 'embedded')).to.deep.equal(content);
    // One that was killed under its lock is followed by one that ends it, and leaves the lock of others alone.
    done(await lockDatabase(db, { ...LOCK, epoch: 0 }, LIMIT_MS));
    await back(toRead(keys));
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
    const others = { system: 'somebody else', epoch: 1 };
    done(await lockDatabase(db, others, LIMIT_MS));
    for (const locks of [false, true]) {
      const error = await back(toRead(keys, locks)).catch((thrown: unknown) => thrown);
      expect((error as Error).message).to.include('lock');
    }
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(lockUid(others));
    done(await unlockDatabase(db, others, LIMIT_MS));
  });

  it('are read at one version where nobody serves the data', async () => {
    const { keys, content } = await filled();
    await write(db, (transaction) => transaction.clear(keys.fence));
    const manifest = await back(toRead(keys));
    expect(manifest.database).to.include({ snapshot: 'read-version' });
    expect(await lab.restore(manifest, 'embedded')).to.deep.equal(content);
    const nothing = await back(toRead(empty()));
    expect(await lab.restore(nothing, 'nothing')).to.deep.equal(new Map());
    const space = empty();
    await restore(nothing, target(space));
    expect(await contentOf(space)).to.deep.equal(new Map());
  });

  it('are not restored over data, and one that was interrupted leaves nothing that is served, and is begun anew', async () => {
    const { keys, content } = await filled();
    const manifest = await back(toRead(keys));
    const refused = await restore(manifest, target(keys)).catch((thrown: unknown) => thrown);
    expect((refused as Error).message).to.match(/not empty; restore into an empty one/);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
    expect(await contentOf(keys)).to.deep.equal(content);

    const space = empty();
    const failing = target(space);
    let puts = 0;
    const partly = withPut(failing, (rows) => (puts++ < 3 ? failing.put(rows) : Promise.reject(new Error('killed'))));
    expect(
      await restore(manifest, partly).then(
        () => null,
        (thrown: Error) => thrown.message,
      ),
    ).to.equal('killed');
    expect(await put(space, 'a', 'x')).to.include({ kind: 'not-done', reason: 'locked' });
    await restore(manifest, target(space));
    expect(await contentOf(space)).to.deep.equal(content);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
  });

  it('are not made live where what is read back is not what was backed up', async () => {
    const { keys } = await filled();
    const manifest = await back(toRead(keys));
    for (const stranger of ['account/000100x', 'zzz']) {
      const space = empty();
      const real = target(space);
      // Somebody else who writes past the lock.
      const disturbed = withPut(real, (rows) => real.put([...rows, { key: Buffer.from(stranger), value: Buffer.from('!') }]));
      const error = await restore(manifest, disturbed).catch((thrown: unknown) => thrown);
      expect((error as { code?: unknown }).code).to.equal('backup-differs');
      expect(await put(space, 'a', 'x')).to.include({ reason: 'locked' });
      done(await unlockDatabase(db, RESTORE_LOCK, LIMIT_MS));
    }
  });

  it('are not made live where somebody unlocked the database meanwhile, and the lock of an interrupted restore is held on by the next', async () => {
    const { keys, content } = await filled();
    const manifest = await back(toRead(keys));
    const space = empty();
    const real = target(space);
    let unlocked = false;
    const meddled = withPut(real, async (rows) => {
      if (!unlocked) done(await unlockDatabase(db, RESTORE_LOCK, LIMIT_MS));
      unlocked = true;
      await real.put(rows);
    });
    const error = await restore(manifest, meddled).catch((thrown: unknown) => thrown);
    expect((error as Error).message).to.match(/somebody unlocked the database/);
    const left = { ...RESTORE_LOCK, epoch: 3 };
    done(await lockDatabase(db, left, LIMIT_MS));
    const next = target(space);
    const watched = withPut(next, async (rows) => {
      expect(done(await lockOf(db, LIMIT_MS))).to.equal(lockUid(left));
      await next.put(rows);
    });
    await restore(manifest, watched);
    expect(await contentOf(space)).to.deep.equal(content);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
  });

  it('are made, verified and restored by the commands', async () => {
    const { keys, content } = await filled();
    const run = backupCommands({
      folder: join(lab.folder, 'commands'),
      clusterFile: cluster.clusterFile,
      library: (programs as { library: string | null }).library,
    });
    const prefix = keys.all.toString();
    await run(['init'], prefix);
    await run(['create', '--no-lease'], prefix);
    await run(['verify', 'latest'], prefix);
    await run(['drill', 'latest'], prefix);
    expect(await run(['show', 'latest'], prefix)).to.include('copy-on-write');
    expect(await run(['restore', 'latest', '--into', 'us-east1'], 'other/')).to.match(/compared both ways/);
    expect(await contentOf(keySpaceOf('other/'))).to.deep.equal(content);
  });
});
