import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Row } from '../database/remote-snapshot.ts';
import { isEngineError } from '../platform/errors.ts';
import { systemClock } from '../platform/clock.ts';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { MemoryPair } from '../testing/memory-pair.ts';
import type { Trouble } from '../testing/memory-transaction.ts';
import { writeKey, type Authority } from './data.ts';
import { changeFence, openFence, raiseFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { beginCopy, endCopy, extendCopy } from './kept.ts';
import { lockDatabase } from './lock.ts';
import { NOBODY_HEARS } from './lock-told.ts';
import { foundationdbToRead } from './remote-database.ts';
import { readSlice, withReplaced } from './slices.ts';

const keys = keySpaceOf('test/');
const LIMIT_MS = 2000;
const BY: Authority = { epoch: 1, region: 'one' };
const never = new AbortController().signal;
const NAMES = ['a', 'b', 'b/0', 'c', 'd', 'ä', 'z'];

async function served(store: MemoryFoundationdb): Promise<MemoryFoundationdb> {
  expect((await openFence(store.db, keys.fence, BY, LIMIT_MS)).kind).to.equal('done');
  return store;
}
const put = async (store: MemoryFoundationdb, key: string, value: string | null): Promise<unknown> =>
  await writeKey({ db: store.db, keys }, BY, key, value, LIMIT_MS);
const remote = (store: MemoryFoundationdb): ReturnType<typeof foundationdbToRead> =>
  foundationdbToRead({ db: store.db, keys, clock: systemClock, lock: { system: 'test', epoch: 1 }, locks: false });

/** What the store itself says was there at a version. */
function stateAt(store: MemoryFoundationdb, version: number): readonly (readonly [string, string])[] {
  return NAMES.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).flatMap((name) => {
    const value = store.valueAt(Buffer.concat([keys.data, Buffer.from(name)]).toString('latin1'), version);
    return value === null ? [] : [[name, value.toString()] as const];
  });
}

const texts = (rows: readonly Row[]): readonly (readonly [string, string])[] =>
  rows.map(([key, value]) => [key.toString(), value.toString()]);

describe('a copy of FoundationDB that is made while writers write', () => {
  it('is of the version at which it began, however the slices and the writes come, and what fails or is lost', async () => {
    const write = fc.record({ key: fc.constantFrom(...NAMES), value: fc.option(fc.string({ maxLength: 3 })) });
    const trouble = fc.constantFrom<(Trouble | null)[]>(null, null, null, 'conflict', 'lost', 'applied', 'throttled');
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 8 }),
        fc.array(write, { maxLength: 25 }),
        fc.array(trouble),
        async (before, during, list) => {
          let troubles: readonly (Trouble | null)[] = [];
          let at = 0;
          const store = await served(new MemoryFoundationdb({ trouble: (call) => (call === 'commit' ? (troubles[at++] ?? null) : null) }));
          for (const { key, value } of before) await put(store, key, value);
          const snapshot = await remote(store).snapshot(never);
          expect(snapshot.how).to.equal('copy-on-write');
          troubles = list;
          // Some under way at the same time, some between slices.
          const writing = Promise.all(during.map(async ({ key, value }) => await put(store, key, value)));
          const read: Row[] = [];
          for (let from: Buffer | null = Buffer.alloc(0); from !== null;) {
            const slice = await snapshot.slice(from, null, 8, never);
            read.push(...slice.rows);
            from = slice.next;
          }
          await writing;
          troubles = [];
          expect(texts(read)).to.deep.equal(stateAt(store, snapshot.end.index));
          await snapshot.release();
          expect(store.keysAt(keys.kept.toString(), `${keys.kept.toString()}~`, store.version)).to.deep.equal([]);
        },
      ),
      { numRuns: 150 },
    );
  }).timeout(120_000);

  it('is not of one version where what was put aside is not read: that is what keeping is for', async () => {
    const store = await served(new MemoryFoundationdb());
    for (const name of ['a', 'z']) await put(store, name, 'before');
    const { version } = (await beginCopy(store.db, keys))!;
    const slice = async (from: string, to: string | null): Promise<readonly Row[]> =>
      (
        await readSlice(
          { db: store.db, keys },
          { prepare: () => undefined, confirm: () => Promise.resolve(), keptFor: null, tooOld: null },
          { from: Buffer.from(from), to: to === null ? null : Buffer.from(to), bytes: 1000 },
          never,
        )
      ).rows;
    const first = await slice('', 'b');
    for (const name of ['a', 'z']) await put(store, name, 'after');
    const fuzzy = texts([...first, ...(await slice('b', null))]);
    expect(fuzzy).to.deep.equal([
      ['a', 'before'],
      ['z', 'after'],
    ]);
    expect(fuzzy).not.to.deep.equal(stateAt(store, version));
  });

  const refused = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!isEngineError(error, 'backup-failed')) throw error ?? new Error('it was not refused');
    return error.message;
  };

  it('fails where another copy began, where a program of before took over, and where it is too late', async () => {
    const fresh = async (): Promise<{ store: MemoryFoundationdb; read: () => Promise<unknown> }> => {
      const store = await served(new MemoryFoundationdb());
      await put(store, 'a', '1');
      const snapshot = await remote(store).snapshot(never);
      return { store, read: () => snapshot.slice(Buffer.alloc(0), null, 1000, never) };
    };
    const other = await fresh();
    await beginCopy(other.store.db, keys);
    expect(await refused(other.read())).to.match(/another one was begun/);
    const older = await fresh();
    // One that knows nothing of copies writes the record without them.
    await changeFence(older.store.db, keys.fence, LIMIT_MS, (fence) => ({ ...fence, epoch: 2, keeps: false, copy: null }));
    expect(await refused(older.read())).to.match(/not kept for this copy any more/);
    const late = await fresh();
    await changeFence(late.store.db, keys.fence, LIMIT_MS, (fence) => ({ ...fence, copy: { ...fence.copy!, untilVersion: 1 } }));
    expect(await refused(late.read())).to.match(/prolonged in time/);
  });

  it('goes on over a failover, is prolonged in time only, and ends for its own maker only', async () => {
    const store = await served(new MemoryFoundationdb());
    const { mark } = (await beginCopy(store.db, keys))!;
    await raiseFence(store.db, keys.fence, 2, LIMIT_MS);
    await openFence(store.db, keys.fence, { epoch: 2, region: 'two' }, LIMIT_MS);
    const longer = await extendCopy(store.db, keys, mark);
    expect(longer.id).to.equal(mark.id);
    expect(longer.untilVersion).to.be.greaterThan(mark.untilVersion);
    expect(await refused(extendCopy(store.db, keys, { ...longer, untilVersion: store.version }))).to.match(/prolonged in time/);
    await endCopy(store.db, keys, { ...mark, id: 'another' });
    expect((await extendCopy(store.db, keys, mark)).id).to.equal(mark.id);
    await endCopy(store.db, keys, mark);
    expect(await refused(extendCopy(store.db, keys, mark))).to.match(/not kept/);
  });

  it('is whole where only its mark cannot be taken away: its cluster is that of a pair, and the service has moved to the other one', async () => {
    const store = await served(new MemoryFoundationdb());
    await put(store, 'a', '1');
    const notes: string[] = [];
    const teller = { ...NOBODY_HEARS, note: (text: string) => void notes.push(text) };
    const lock = { system: 'test', epoch: 1 };
    const snapshot = await foundationdbToRead({ db: store.db, keys, clock: systemClock, lock, locks: false, teller }).snapshot(never);
    expect(texts((await snapshot.slice(Buffer.alloc(0), null, 1000, never)).rows)).to.deep.equal([['a', '1']]);
    await lockDatabase(store.db, { system: 'fdbdr', epoch: 1 }, LIMIT_MS);
    await snapshot.release();
    expect(notes).to.have.lengthOf(1);
    expect(notes[0]).to.match(/until the next backup: .*1038/);
  });

  it('is not begun of a cluster that fdbdr keeps as the copy of another, and nobody is told to unlock that', async () => {
    const pair = new MemoryPair();
    await served(pair.primary);
    await pair.begin();
    await pair.ship();
    const failure: unknown = await remote(pair.copy)
      .snapshot(never)
      .catch((error: unknown) => error);
    expect(failure).to.have.property('code', 'database-is-copy');
    expect(String(failure)).to.not.include('--exec');
    const asked: unknown = await remote(pair.copy)
      .newest()
      .catch((error: unknown) => error);
    expect(asked, 'before its versions are held against those of the other').to.have.property('code', 'database-is-copy');
    await pair.lock('00000000000000000000000000000001');
    expect(await remote(pair.copy).newest(), 'one that a killed backup has left is ended later').to.include({ epoch: 1 });
    const locked: unknown = await remote(pair.copy)
      .snapshot(never)
      .catch((error: unknown) => error);
    expect(locked, 'a lock that is not of the copy').to.have.property('code', 'database-locked');
  });

  it('is not begun where nobody keeps', async () => {
    const store = new MemoryFoundationdb();
    expect(await beginCopy(store.db, keys)).to.equal(null);
    await changeFence(store.db, keys.fence, LIMIT_MS, (fence) => ({ ...fence, epoch: 1, servedEpoch: 1, servedBy: 'one' }));
    expect(await beginCopy(store.db, keys)).to.equal(null);
  });

  it('puts what was put aside in the place of what is there, before, between and after', () => {
    const row = (key: string, value: string): Row => [Buffer.from(key), Buffer.from(value)];
    const absent = (key: string): Row => [Buffer.from(key), Buffer.of(0)];
    const was = (key: string, value: string): Row => [Buffer.from(key), Buffer.concat([Buffer.of(1), Buffer.from(value)])];
    const rows = [row('b', 'new'), row('c', 'same'), row('d', 'made')];
    expect(texts(withReplaced(rows, [was('a', 'gone'), was('b', 'old'), absent('d'), was('e', '')]))).to.deep.equal([
      ['a', 'gone'],
      ['b', 'old'],
      ['c', 'same'],
      ['e', ''],
    ]);
    expect(withReplaced(rows, [])).to.equal(rows);
  });
});
