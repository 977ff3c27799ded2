import { expect } from 'chai';
import * as fc from 'fast-check';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import type { Trouble } from '../testing/memory-transaction.ts';
import { readAll, readKey, writeKey, type Authority, type Fenced } from './data.ts';
import { openFence, raiseFence, readFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { lockUid } from './lock-uid.ts';
import { lockDatabase, lockOf, unlockDatabase } from './lock.ts';
import { transact, type Outcome } from './transaction.ts';

const keys = keySpaceOf('test/');
const LIMIT_MS = 2000;
const FIRST: Authority = { epoch: 1, region: 'one' };
const SECOND: Authority = { epoch: 2, region: 'two' };
const UID = { system: 'orders', epoch: 3 };

/** Troubles in this order, one a call of that kind, then none. */
function troubles(kind: 'read' | 'commit', list: readonly (Trouble | null)[]): MemoryFoundationdb {
  let on = false;
  let at = 0;
  const store = new MemoryFoundationdb({ trouble: (call) => (on && call === kind ? (list[at++] ?? null) : null) });
  begin = () => (on = true);
  return store;
}
let begin: () => void = () => undefined;

async function served(store: MemoryFoundationdb): Promise<MemoryFoundationdb> {
  expect((await openFence(store.db, keys.fence, FIRST, LIMIT_MS)).kind).to.equal('done');
  begin();
  return store;
}

const nameOf = (key: string): string => Buffer.concat([keys.data, Buffer.from(key)]).toString('latin1');
const put = (store: MemoryFoundationdb, by: Authority, key: string, value: string): Promise<Outcome<Fenced<null>>> =>
  writeKey({ db: store.db, keys }, by, key, value, LIMIT_MS);

describe('transactions of the FoundationDB adapter', () => {
  it('try again what was certainly not applied, and commit once', async () => {
    const store = await served(troubles('commit', ['conflict', 'throttled', 'conflict']));
    expect(await put(store, FIRST, 'a', 'x')).to.deep.include({ kind: 'done', value: { kind: 'allowed', value: null } });
    expect(store.changesOf(nameOf('a'))).to.have.length(1);
  });

  for (const [trouble, applied] of [
    ['lost', 0],
    ['applied', 1],
    ['applied-later', 1],
    ['strange', 0],
  ] as const)
    it(`do not know the outcome of a commit that was ${trouble}, and do not send it again`, async () => {
      const store = await served(troubles('commit', [trouble]));
      expect((await put(store, FIRST, 'a', 'x')).kind).to.equal('unknown');
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(store.changesOf(nameOf('a'))).to.have.length(applied);
    });

  it('say that nothing was applied where the database did not answer before the commit', async () => {
    const store = await served(troubles('read', []));
    store.silent = true;
    const outcome = await writeKey({ db: store.db, keys }, FIRST, 'a', 'x', 50);
    expect(outcome).to.include({ kind: 'not-done', reason: 'silent' });
    expect(await readKey({ db: store.db, keys }, FIRST, 'a', 50)).to.include({ kind: 'not-done', reason: 'silent' });
  });

  it('end with the signal', async () => {
    const store = await served(troubles('read', []));
    store.silent = true;
    const ending = new AbortController();
    const running = transact(store.db, async (transaction) => ({ commit: false, value: await transaction.get('a') }), {
      timeoutMs: 60_000,
      signal: ending.signal,
    });
    ending.abort();
    expect(await running).to.include({ kind: 'not-done', reason: 'silent' });
  });

  it('say that nothing was applied of what breaks a limit, and throw what is wrong here', async () => {
    const store = await served(troubles('read', []));
    expect(await put(store, FIRST, 'a', 'x'.repeat(100_001))).to.include({ kind: 'not-done', reason: 'refused' });
    const thrown = await transact(store.db, () => Promise.reject(new TypeError('ours')), { timeoutMs: LIMIT_MS }).catch(
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(TypeError);
  });

  it('do not wait for somebody to unlock; only the holder unlocks, also where a first try failed', async () => {
    const store = await served(troubles('commit', ['conflict']));
    const { db } = store;
    expect(await lockDatabase(db, UID, LIMIT_MS)).to.deep.include({ kind: 'done', value: { kind: 'held' } });
    expect(store.lockedBy).to.equal(lockUid(UID));
    expect(await put(store, FIRST, 'a', 'x')).to.include({ kind: 'not-done', reason: 'locked' });
    expect(await lockOf(db, LIMIT_MS)).to.include({ value: lockUid(UID) });
    const other = { ...UID, epoch: 4 };
    for (const outcome of [await unlockDatabase(db, other, LIMIT_MS), await lockDatabase(db, other, LIMIT_MS)])
      expect(outcome).to.deep.include({ value: { kind: 'foreign', uid: lockUid(UID) } });
    expect(await unlockDatabase(db, UID, LIMIT_MS)).to.deep.include({ value: { kind: 'free' } });
    expect(store.lockedBy).to.equal(null);
  });

  it('copy what is there at one version, sorted, while others write', async () => {
    const store = await served(troubles('read', []));
    for (const key of ['b', 'a', 'c']) await put(store, FIRST, key, '1');
    const copy = await readAll({ db: store.db, keys }, LIMIT_MS);
    const rows: string[] = [];
    for await (const { key, value } of copy.rows) {
      rows.push(`${key}=${value}`);
      await put(store, FIRST, 'b', '2');
      await put(store, FIRST, 'd', '2');
    }
    expect(rows).to.deep.equal(['a=1', 'b=1', 'c=1']);
  });

  it('copy is begun anew where FoundationDB has no answer yet, until its first row', async () => {
    const store = await served(troubles('read', []));
    await put(store, FIRST, 'a', '1');
    store.unanswered = 2;
    const rows: string[] = [];
    for await (const { key } of (await readAll({ db: store.db, keys }, LIMIT_MS)).rows) rows.push(key);
    expect(rows).to.deep.equal(['a']);
    expect(store.unanswered).to.equal(0);
  });
});

describe('the fence within FoundationDB', () => {
  it('keeps out whoever it does not name, and is not opened backwards', async () => {
    const store = await served(troubles('read', []));
    await put(store, FIRST, 'a', 'right');
    for (const stranger of [SECOND, { ...FIRST, epoch: 0 }, { ...FIRST, region: 'two' }])
      expect(await put(store, stranger, 'a', 'wrong')).to.deep.include({ value: { kind: 'fenced', epoch: 1 } });
    await raiseFence(store.db, keys.fence, 2, LIMIT_MS);
    for (const by of [FIRST, SECOND]) expect(await put(store, by, 'a', 'wrong')).to.deep.include({ value: { kind: 'fenced', epoch: 2 } });
    expect((await openFence(store.db, keys.fence, FIRST, LIMIT_MS)) as unknown).to.have.nested.property('value.kind', 'passed');
    await openFence(store.db, keys.fence, SECOND, LIMIT_MS);
    expect(await readKey({ db: store.db, keys }, SECOND, 'a', LIMIT_MS)).to.deep.include({ value: { kind: 'allowed', value: 'right' } });
  });

  it('tells everybody who raises the same epoch the same version', async () => {
    const store = await served(troubles('read', []));
    const raised = await Promise.all([1, 2, 3].map(() => raiseFence(store.db, keys.fence, 2, LIMIT_MS)));
    const versions = raised.map((outcome) => (outcome.kind === 'done' ? outcome.value.fence.version : 0));
    expect(new Set(versions).size).to.equal(1);
    const { fence } = (await transact(
      store.db,
      async (transaction) => ({ commit: false, value: { fence: await readFence(transaction, keys.fence) } }),
      { timeoutMs: LIMIT_MS },
    ).then((outcome) => (outcome.kind === 'done' ? outcome.value : null))) as { fence: { version: number } };
    expect(fence.version).to.equal(versions[0]);
  });

  it('whatever goes wrong: what was acknowledged was committed under its epoch before the next one was fenced, what was refused never was', async () => {
    const trouble = fc.option(fc.constantFrom<Trouble>('conflict', 'lost', 'applied', 'applied-later', 'throttled', 'strange'), {
      freq: 3,
    });
    const run = fc.record({
      troubles: fc.array(trouble, { maxLength: 60 }),
      turns: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ troubles: list, turns }) => {
        let at = 0;
        let turn = 0;
        const store = new MemoryFoundationdb({ trouble: () => list[at++] ?? null, turns: () => turns[turn++ % turns.length] ?? 1 });
        const outcomes = new Map<string, { epoch: number; outcome: Outcome<Fenced<null>> }>();
        const region = async (by: Authority): Promise<void> => {
          while ((await raiseFence(store.db, keys.fence, by.epoch, LIMIT_MS)).kind !== 'done');
          while ((await openFence(store.db, keys.fence, by, LIMIT_MS)).kind !== 'done');
          const writes = Array.from({ length: 6 }, async (_, i) => {
            const key = `${by.epoch}-${i}`;
            outcomes.set(key, { epoch: by.epoch, outcome: await put(store, by, key, 'x') });
          });
          await Promise.all(writes);
        };
        await Promise.all([1, 2, 3].map((epoch) => region({ epoch, region: `r${epoch}` })));
        await new Promise((resolve) => setTimeout(resolve, 3));
        const raisedAt = (epoch: number): number =>
          Math.min(
            ...store
              .changesOf(keys.fence.toString('latin1'))
              .filter(({ value }) => (JSON.parse(value?.subarray(10).toString() ?? '{}') as { epoch: number }).epoch > epoch)
              .map(({ version }) => version),
          );
        for (const [key, { epoch, outcome }] of outcomes) {
          const changes = store.changesOf(nameOf(key));
          // Nothing of an epoch, acknowledged or not, after the next one is fenced.
          for (const { version } of changes) expect(version, key).to.be.lessThan(raisedAt(epoch));
          expect(changes.length, key).to.be.lessThan(2);
          if (outcome.kind === 'done' && outcome.value.kind === 'allowed') expect(changes[0]?.version, key).to.equal(outcome.version);
          if (outcome.kind === 'not-done' || (outcome.kind === 'done' && outcome.value.kind === 'fenced'))
            expect(changes, key).to.deep.equal([]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
