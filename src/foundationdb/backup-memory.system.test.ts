import { expect } from 'chai';
import type { Database } from 'foundationdb';
import type { Manifest } from '../backup/format/manifest.ts';
import type { LogBatch, LogToApply } from '../backup/log/log-to-apply.ts';
import type { RemoteDatabase } from '../database/remote-snapshot.ts';
import type { RemoteTarget } from '../database/remote-target.ts';
import { BackupLab } from '../testing/backup-lab.ts';
import {
  backUp,
  contentIn,
  done,
  fill,
  nameOf,
  reading,
  readNow,
  restoreInto,
  withPause,
  withPut,
} from '../testing/foundationdb-backups.ts';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { writeKey, type Authority } from './data.ts';
import { NO_FENCE, openFence, readFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { lockUid } from './lock-uid.ts';
import { lockDatabase, unlockDatabase } from './lock.ts';
import { foundationdbToFill } from './remote-target.ts';

const keys = keySpaceOf('test/');
const LIMIT_MS = 5000;
/** More than are read in one slice. */
const RECORDS = 1500;
const BY: Authority = { epoch: 4, region: 'us-east1' };
const LOCK = { system: 'backup of lab', epoch: 1 };
const RESTORE_LOCK = { system: 'restore of lab', epoch: 1 };

/** The same as backup.system.test.ts in small, where there is no fdbserver, and what takes a trouble at the right moment. */
describe('backups of FoundationDB, on a strict store in memory', function () {
  this.timeout(120_000);
  let lab: BackupLab;
  let store: MemoryFoundationdb;
  let db: Database;
  beforeEach(async () => {
    lab = await BackupLab.open();
    store = new MemoryFoundationdb();
    db = store.db;
  });
  afterEach(() => lab.close());

  const put = async (key: string, value: string | null): Promise<unknown> => await writeKey({ db, keys }, BY, key, value, LIMIT_MS);
  const target = (): RemoteTarget => foundationdbToFill({ db, keys, lock: RESTORE_LOCK });
  /** Of an embedded database. */
  const embedded = async (): Promise<Manifest> => {
    await lab.write(Array.from({ length: 200 }, (_, n) => [`key/${n}`, 'x'.repeat(n * 20)]));
    return (await lab.backup()).manifest;
  };
  const failureOf = async (work: Promise<unknown>): Promise<string> =>
    await work.then(
      () => 'it was done',
      (error: Error) => error.message,
    );

  it('an embedded database’s backup is restored into it, served above all epochs, and backed up again has the same root', async () => {
    const manifest = await embedded();
    await restoreInto(lab, manifest, target());
    expect(store.lockedBy).to.equal(null);
    const fence = await readNow(db, (transaction) => readFence(transaction, keys.fence));
    expect(fence).to.deep.equal({ ...NO_FENCE, epoch: 9, restored: true, version: fence.version });
    done(await openFence(db, keys.fence, { epoch: 10, region: 'us-east1' }, LIMIT_MS));
    const again = await backUp(lab, reading({ db, keys, lock: LOCK, locks: false }));
    expect(again.database).to.include({ snapshot: 'copy-on-write' });
    expect(again.generation).to.equal('10');
    expect(again.ranges[0]?.root).to.equal(manifest.ranges[0]?.root);
  });

  it('a backup is restored with its log, where ranges are cleared too, and not made live where a change of it is not there', async () => {
    const manifest = await embedded();
    const text = (value: string): Buffer => Buffer.from(value);
    const end = { epoch: 1, index: 900 };
    const batches: readonly LogBatch[] = [
      {
        end: { epoch: 1, index: 500 },
        changes: [
          ...Array.from({ length: 700 }, (_, n) => ({ key: text(`many/${n}`), value: text('x'.repeat(1000)) })),
          { key: text('key/3'), value: text('set') },
          { key: text('key/3'), value: null },
          { key: text('key/20'), value: text('is cleared') },
          { from: text('key/2'), to: text('key/3') },
          { key: text('key/21'), value: text('is there again') },
          { key: text('no/such'), value: null },
        ],
      },
      {
        end,
        changes: [
          { from: text('many/5'), to: null },
          { key: text('zz'), value: text('last') },
          { from: text('x'), to: text('y') },
        ],
      },
    ];
    const log: LogToApply = {
      stream: 's',
      through: end.index,
      batches: async function* () {
        yield* batches;
      },
    };
    const expected = new Map(lab.model);
    for (let n = 0; n < 700; n++) if (`many/${n}` < 'many/5') expected.set(`many/${n}`, 'x'.repeat(1000));
    for (const key of expected.keys()) if (key === 'key/3' || (key >= 'key/2' && key < 'key/3')) expected.delete(key);
    expected.set('key/21', 'is there again').set('zz', 'last');
    for (const strange of [
      { key: 'many/1', value: 'another' },
      { key: 'key/9', value: null },
      { key: 'one/more', value: 'x' },
    ]) {
      const real = target();
      const row = { key: text(strange.key), value: strange.value === null ? null : text(strange.value) };
      const isLast = (key: Uint8Array): boolean => text('zz').equals(key);
      const meddled = withPut(real, (rows) => real.put(rows.some(({ key }) => isLast(key)) ? [...rows, row] : rows));
      expect(await failureOf(restoreInto(lab, manifest, meddled, log))).to.match(/after the log was applied .* not what it should be/);
      expect(store.lockedBy).not.to.equal(null);
    }
    const short = { ...log, through: end.index + 1 };
    expect(await failureOf(restoreInto(lab, manifest, target(), short))).to.match(/the log ends at version 900, before 901/);
    await restoreInto(lab, manifest, target(), log);
    expect(store.lockedBy).to.equal(null);
    done(await openFence(db, keys.fence, { epoch: 10, region: 'us-east1' }, LIMIT_MS));
    expect(await contentIn({ db, keys })).to.deep.equal(expected);
  });

  for (const locks of [false, true])
    it(`a backup ${locks ? 'under a lock' : 'without one'} is of the state at its beginning`, async () => {
      const { content } = await fill(db, 'test/', { records: RECORDS, by: BY });
      const outcomes: unknown[] = [];
      const change = async (): Promise<void> => void outcomes.push(await put(nameOf(RECORDS - 1), 'changed'), await put('zzz', 'new'));
      const manifest = await backUp(lab, withPause(reading({ db, keys, lock: LOCK, locks }), change));
      for (const outcome of outcomes)
        expect(outcome).to.deep.include(locks ? { reason: 'locked' } : { value: { kind: 'allowed', value: null } });
      expect(await lab.restore(manifest, 'embedded')).to.deep.equal(content);
      expect(store.lockedBy).to.equal(null);
    });

  it('a backup under a lock fails where somebody unlocked, also if it is locked again as it was', async () => {
    await fill(db, 'test/', { records: RECORDS, by: BY });
    const meddle = async (): Promise<void> => {
      done(await unlockDatabase(db, LOCK, LIMIT_MS));
      done(await lockDatabase(db, LOCK, LIMIT_MS));
    };
    expect(await failureOf(backUp(lab, withPause(reading({ db, keys, lock: LOCK, locks: true }), meddle)))).to.match(
      /somebody unlocked the database/,
    );
    expect(store.lockedBy).to.equal(null);
  });

  it('a backup ends the lock that a killed one has left, and says so; that of anybody else it meets with whose and how old it is', async () => {
    const { content } = await fill(db, 'test/', { records: 3, by: BY });
    const notes: string[] = [];
    const teller = { cluster: 'lab', fdbcli: 'fdbcli', note: (text: string) => void notes.push(text) };
    for (const locks of [false, true]) {
      const from = (): RemoteDatabase => reading({ db, keys, lock: { ...LOCK, epoch: 2 }, locks, teller });
      done(await lockDatabase(db, LOCK, LIMIT_MS));
      expect(await lab.restore(await backUp(lab, from()), `embedded-${locks}`)).to.deep.equal(content);
      expect(notes.splice(0).join()).to.match(
        new RegExp(
          `^the lock ${lockUid(LOCK)}, which a killed run had left \\(for at most \\d+ s\\), is ${locks ? 'taken over' : 'ended'}$`,
        ),
      );
      expect(store.lockedBy).to.equal(null);
      done(await lockDatabase(db, RESTORE_LOCK, LIMIT_MS));
      expect(await failureOf(backUp(lab, from()))).to.match(/for at most \d+ s: a restore of lab holds it/);
      expect(store.lockedBy).to.equal(lockUid(RESTORE_LOCK));
      done(await unlockDatabase(db, RESTORE_LOCK, LIMIT_MS));
    }
    expect(notes).to.deep.equal([]);
  });

  it('a restore is not made live where somebody unlocked meanwhile; the next holds on the lock of one that was interrupted, and begins anew', async () => {
    const manifest = await embedded();
    const first = target();
    let unlocked = false;
    const meddled = withPut(first, async (rows) => {
      if (!unlocked) done(await unlockDatabase(db, RESTORE_LOCK, LIMIT_MS));
      unlocked = true;
      await first.put(rows);
    });
    expect(await failureOf(restoreInto(lab, manifest, meddled))).to.match(/somebody unlocked the database/);
    const left = { ...RESTORE_LOCK, epoch: 3 };
    done(await lockDatabase(db, left, LIMIT_MS));
    const second = target();
    const killed = withPut(second, async () => await Promise.reject(new Error('killed')));
    expect(await failureOf(restoreInto(lab, manifest, killed))).to.equal('killed');
    expect(store.lockedBy).to.equal(lockUid(left));
    const next = target();
    await restoreInto(
      lab,
      manifest,
      withPut(next, async (rows) => {
        expect(store.lockedBy).to.equal(lockUid(left));
        await next.put(rows);
      }),
    );
    expect(store.lockedBy).to.equal(null);
    expect((await contentIn({ db, keys })).size).to.equal(200);
    // Killed when only its lock was left.
    done(await lockDatabase(db, RESTORE_LOCK, LIMIT_MS));
    expect(await failureOf(restoreInto(lab, manifest, target()))).to.match(/not empty/);
    expect(store.lockedBy).to.equal(null);
    expect(await failureOf(second.put([]))).to.match(/somebody unlocked|another restore/);
  });

  it('a restore refuses data, leaves the lock of others alone, and ends with what differs locked up', async () => {
    const manifest = await embedded();
    await fill(db, 'test/', { records: 3, by: BY });
    expect(await failureOf(restoreInto(lab, manifest, target()))).to.match(/not empty; restore into an empty one/);
    expect(store.lockedBy).to.equal(null);
    const other = new MemoryFoundationdb();
    const real = foundationdbToFill({ db: other.db, keys, lock: RESTORE_LOCK });
    const others = { system: 'somebody else', epoch: 1 };
    done(await lockDatabase(other.db, others, LIMIT_MS));
    expect(await failureOf(restoreInto(lab, manifest, real))).to.match(/locked under 434452.* another backup\.cluster\.id/);
    expect(other.lockedBy).to.equal(lockUid(others));
    done(await unlockDatabase(other.db, others, LIMIT_MS));
    const disturbed = withPut(real, (rows) => real.put([...rows, { key: Buffer.from('stranger'), value: Buffer.from('!') }]));
    expect(await failureOf(restoreInto(lab, manifest, disturbed))).to.match(/not what was backed up/);
    expect(other.lockedBy).to.equal(lockUid(RESTORE_LOCK));
  });
});
