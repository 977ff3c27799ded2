import { expect } from 'chai';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { LOCK_AWARE, LOCKED } from '../testing/memory-transaction.ts';
import type { RemoteTarget } from '../database/remote-target.ts';
import { openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { lockDatabase, unlockDatabase } from './lock.ts';
import { lockSystem, lockUid } from './lock-uid.ts';
import { SPECIAL_KEY_SPACE_ENABLE_WRITES } from './option-codes.ts';
import { foundationdbToFill } from './remote-target.ts';

const LIMIT_MS = 2000;
const UNLOCKING = new Set([LOCK_AWARE, SPECIAL_KEY_SPACE_ENABLE_WRITES]);

describe('a restore into FoundationDB that is refused', () => {
  it('never locks the database: it may be the one that serves, named by mistake', async () => {
    const keys = keySpaceOf('test/');
    let wasLocked = false;
    const store: MemoryFoundationdb = new MemoryFoundationdb({
      trouble: () => {
        wasLocked ||= store.lockedBy !== null;
        return null;
      },
    });
    expect((await openFence(store.db, keys.fence, { epoch: 1, region: 'one' }, LIMIT_MS)).kind).to.equal('done');
    const target = foundationdbToFill({ db: store.db, keys, lock: { system: 'restore of test', epoch: 1 } });
    const refused: unknown = await target.begin('a backup').catch((error: unknown) => error);
    expect(String(refused)).to.match(/not empty; restore into an empty one/);
    expect({ wasLocked, lockedBy: store.lockedBy }).to.deep.equal({ wasLocked: false, lockedBy: null });
    expect(await target.left(), 'nothing is to be ended').to.equal(null);
  });
});

describe('a restore into FoundationDB that fails', function () {
  this.timeout(30_000);
  const keys = keySpaceOf('test/');
  const lock = { system: lockSystem('restore', 'prod'), epoch: 1 };
  const uid = lockUid(lock);
  let store: MemoryFoundationdb;
  let notes: string[];
  const target = (epoch = 1): RemoteTarget => {
    const teller = { cluster: 'prod', fdbcli: 'fdbcli -C fdb.cluster', note: (text: string) => void notes.push(text) };
    return foundationdbToFill({ db: store.db, keys, lock: { ...lock, epoch }, teller });
  };
  beforeEach(() => {
    store = new MemoryFoundationdb();
    notes = [];
  });

  it('tells that the cluster is locked, under which UID, and the commands that end that', async () => {
    const filling = target();
    expect(await filling.left()).to.equal(null);
    await filling.begin('a backup');
    expect(store.lockedBy).to.equal(uid);
    expect(await filling.left())
      .to.include(`the whole FoundationDB cluster is still locked under ${uid}, so that nobody serves a part of the data`)
      .and.include('Restore again: it takes this lock over')
      .and.include(`\`fdbcli -C fdb.cluster --exec "unlock ${uid}"\` ends the lock`)
      .and.include('`fdbcli -C fdb.cluster --exec "writemode on; clearrange test/ test0"`');
    store.silent = true;
    expect(await filling.left()).to.include(`the whole FoundationDB cluster may still be locked under ${uid}`);
  });

  it('tells nothing more once all is there', async () => {
    const filling = target();
    await filling.begin('a backup');
    await filling.finish(3);
    expect(await filling.left()).to.equal(null);
    expect(store.lockedBy).to.equal(null);
  });

  it('does not tell anybody to end the lock of the restore that took it over, nor one that is not there', async () => {
    const first = target();
    await first.begin('a backup');
    const second = target(2);
    await second.begin('a backup');
    expect(notes).to.have.length(1);
    expect(notes[0]).to.match(new RegExp(`^the lock ${uid}, which a killed run had left \\(for at most \\d+ s\\), is taken over$`));
    const failure: unknown = await first.put([]).catch((error: unknown) => error);
    expect(String(failure)).to.match(/another restore/);
    expect(await first.left())
      .to.include('the other restore goes on')
      .and.not.include('unlock');
    expect((await unlockDatabase(store.db, { ...lock, epoch: 1 }, LIMIT_MS)).kind).to.equal('done');
    expect((await lockDatabase(store.db, lock, LIMIT_MS)).kind).to.equal('done');
    expect(await second.left(), 'another may have locked it again')
      .to.include('a restore of prod holds it')
      .and.not.include('is still locked');
    expect((await unlockDatabase(store.db, lock, LIMIT_MS)).kind).to.equal('done');
    expect(await second.left())
      .to.include('is not locked any more')
      .and.not.include('fdbcli');
  });

  it("meets a lock that is not its own, and tells whose it is; a backup's next run ends the backup's", async () => {
    const backup = { system: lockSystem('backup', 'prod'), epoch: 5 };
    expect((await lockDatabase(store.db, backup, LIMIT_MS)).kind).to.equal('done');
    const filling = target();
    const failure: unknown = await filling.begin('a backup').catch((error: unknown) => error);
    expect(failure).to.have.property('code', 'database-locked');
    expect(String(failure))
      .to.include(lockUid(backup))
      .and.match(/for at most \d+ s: a `backup create --lock` of prod holds it/);
    expect(await filling.left(), 'said already').to.equal(null);
    expect(store.lockedBy).to.equal(lockUid(backup));
  });

  it("holds the lock or is refused, at whatever moment another's lock goes", async () => {
    const others = { system: 'somebody else', epoch: 1 };
    let refused = 0;
    for (let at = 1; at <= 12; at++) {
      let reads = 0;
      const leaving: MemoryFoundationdb = new MemoryFoundationdb({
        trouble: (call) => {
          if (leaving.lockedBy === lockUid(others) && call === 'read' && ++reads === at)
            leaving.commit({ readVersion: leaving.version, reads: new Set(), writes: new Map([[LOCKED, null]]), options: UNLOCKING });
          return null;
        },
      });
      expect((await lockDatabase(leaving.db, others, LIMIT_MS)).kind).to.equal('done');
      reads = 0;
      const error: unknown = await foundationdbToFill({ db: leaving.db, keys, lock })
        .begin('a backup')
        .catch((thrown: unknown) => thrown);
      if (error === undefined) expect(leaving.lockedBy, `read ${at}`).to.equal(uid);
      else expect(error, `read ${at}`).to.have.property('code', 'database-locked');
      refused += error === undefined ? 0 : 1;
    }
    expect(refused).to.be.within(1, 11);
  });
});
