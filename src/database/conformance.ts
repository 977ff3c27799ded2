import { expect } from 'chai';
import fc from 'fast-check';
import type { Database, Entry, KeyValue } from './database.ts';
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from './database.ts';

export interface DatabaseUnderTest {
  readonly open: () => Database;
  /** An empty second place, for copies. */
  readonly openOther: () => Database;
}

export const put = (epoch: number, index: number, key: string, value: string): Entry => ({ epoch, index, op: 'put', key, value });
export const remove = (epoch: number, index: number, key: string): Entry => ({ epoch, index, op: 'delete', key, value: '' });

export async function rowsOf(database: Database): Promise<readonly KeyValue[]> {
  const rows: KeyValue[] = [];
  for await (const row of (await database.snapshot()).rows) rows.push(row);
  return rows;
}

/** What every Database adapter promises. `fresh` gives new, empty places each time. */
export function databaseConformance(name: string, fresh: () => DatabaseUnderTest): void {
  describe(`database ${name}`, () => {
    let under: DatabaseUnderTest;
    let database: Database;
    beforeEach(() => {
      under = fresh();
      database = under.open();
    });
    afterEach(async () => database.close());
    const reopen = async (): Promise<void> => {
      await database.close();
      database = under.open();
    };

    it('is empty at first', async () => {
      expect(database.state()).to.deep.equal({
        log: { epoch: 0, index: 0 },
        durableIndex: 0,
        baseIndex: 0,
        epochs: [],
        commitIndex: 0,
        sealedEpoch: 0,
      });
      expect(await rowsOf(database)).to.deep.equal([]);
    });

    it('shows what is committed and nothing else', async () => {
      await database.append([put(1, 1, 'a', '1'), put(1, 2, 'b', '2'), remove(1, 3, 'a')]);
      expect(database.get('a')).to.equal(undefined);
      database.commit(2);
      expect(database.get('a')).to.equal('1');
      expect(await rowsOf(database)).to.deep.equal([
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ]);
      database.commit(3);
      expect(database.get('a')).to.equal(undefined);
      expect(await rowsOf(database)).to.deep.equal([{ key: 'b', value: '2' }]);
    });

    it('keeps log, data, epochs and seal over a restart, and what was not committed stays in the log only', async () => {
      await database.append([put(1, 1, 'a', '1')]);
      await database.append([put(3, 2, 'ü', 'ß'), put(3, 3, 'c', '')]);
      database.commit(2);
      await database.seal(4);
      await rowsOf(database);
      await reopen();
      expect(database.state()).to.deep.include({
        log: { epoch: 3, index: 3 },
        durableIndex: 3,
        commitIndex: 2,
        sealedEpoch: 4,
        epochs: [
          [1, 1],
          [3, 2],
        ],
      });
      expect(database.get('ü')).to.equal('ß');
      expect(database.get('c')).to.equal(undefined);
      expect(database.entries(1, 1e6)).to.deep.equal([put(1, 1, 'a', '1'), put(3, 2, 'ü', 'ß'), put(3, 3, 'c', '')]);
    });

    it('refuses a hole and a falling epoch', async () => {
      await database.append([put(2, 1, 'a', '1')]);
      for (const bad of [put(2, 3, 'x', ''), put(1, 2, 'x', ''), put(2, 1, 'x', '')]) {
        const error = await database.append([bad]).then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error, JSON.stringify(bad)).to.be.instanceOf(Error);
      }
      expect(database.state().log).to.deep.equal({ epoch: 2, index: 1 });
    });

    it('makes concurrent appends durable in order', async () => {
      const done: number[] = [];
      await Promise.all(Array.from({ length: 50 }, (_, i) => database.append([put(1, i + 1, `k${i}`, 'v')]).then(() => done.push(i))));
      expect(done).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
      expect(database.state().durableIndex).to.equal(50);
    });

    it('removes a tail, goes on in another epoch, and refuses to remove what is committed', async () => {
      await database.append([put(1, 1, 'a', '1'), put(1, 2, 'b', '2'), put(2, 3, 'c', '3')]);
      database.commit(1);
      await database.truncate(1);
      await database.append([put(3, 2, 'b', 'new')]);
      database.commit(2);
      expect(database.state()).to.deep.include({
        log: { epoch: 3, index: 2 },
        epochs: [
          [1, 1],
          [3, 2],
        ],
      });
      const error = await database.truncate(1).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(Error);
      await reopen();
      expect(database.entries(1, 1e6)).to.deep.equal([put(1, 1, 'a', '1'), put(3, 2, 'b', 'new')]);
    });

    it('trims the beginning of the log but not the data, and never beyond what is committed', async () => {
      await database.append([put(1, 1, 'a', '1'), put(1, 2, 'b', '2'), put(1, 3, 'c', '3')]);
      database.commit(2);
      await database.trim(3);
      await reopen();
      expect(database.state()).to.deep.include({ baseIndex: 2, log: { epoch: 1, index: 3 }, commitIndex: 2 });
      expect(database.get('a')).to.equal('1');
      expect(database.entries(3, 1e6)).to.have.length(1);
      expect(() => database.entries(2, 1e6)).to.throw();
    });

    it('takes a copy of another database, all of it and nothing of its own', async () => {
      const other = under.openOther();
      await other.append([put(1, 1, 'a', 'theirs'), put(2, 2, 'b', '2'), put(2, 3, 'later', 'x')]);
      other.commit(2);
      await database.append([put(1, 1, 'a', 'mine'), put(1, 2, 'mine', '1')]);
      database.commit(2);
      await database.seal(2);
      await database.install(await other.snapshot());
      await other.close();
      await reopen();
      expect(database.state()).to.deep.include({
        log: { epoch: 2, index: 2 },
        baseIndex: 2,
        commitIndex: 2,
        sealedEpoch: 2,
        epochs: [
          [1, 1],
          [2, 2],
        ],
      });
      expect(await rowsOf(database)).to.deep.equal([
        { key: 'a', value: 'theirs' },
        { key: 'b', value: '2' },
      ]);
      await database.append([put(2, 3, 'c', '3')]);
      database.commit(3);
      expect(database.get('c')).to.equal('3');
    });

    it('is what it was when a copy breaks off', async () => {
      await database.append([put(1, 1, 'a', 'mine')]);
      database.commit(1);
      async function* broken(): AsyncGenerator<KeyValue> {
        yield { key: 'a', value: 'theirs' };
        throw new Error('cut');
      }
      const error = await database.install({ end: { epoch: 5, index: 9 }, epochs: [[5, 1]], rows: broken() }).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(Error);
      await reopen();
      expect(database.state().log).to.deep.equal({ epoch: 1, index: 1 });
      expect(await rowsOf(database)).to.deep.equal([{ key: 'a', value: 'mine' }]);
    });

    it('is what it was when a copy is no longer wanted', async () => {
      await database.append([put(1, 1, 'a', 'mine')]);
      database.commit(1);
      async function* rows(): AsyncGenerator<KeyValue> {
        yield { key: 'a', value: 'theirs' };
      }
      expect(await database.install({ end: { epoch: 5, index: 9 }, epochs: [[5, 1]], rows: rows() }, () => false)).to.equal(false);
      expect(database.get('a')).to.equal('mine');
    });

    it('takes the longest key and the largest value', async () => {
      const key = 'k'.repeat(MAX_KEY_BYTES);
      const value = 'v'.repeat(MAX_VALUE_BYTES);
      await database.append([put(1, 1, key, value)]);
      database.commit(1);
      await rowsOf(database);
      await reopen();
      expect(database.get(key)).to.equal(value);
      expect(database.entries(1, 1)).to.deep.equal([put(1, 1, key, value)]);
    });

    it('agrees with a plain list and map over any sequence of calls', async function () {
      this.timeout(30_000);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => agrees(fresh(), steps)),
        { numRuns: 40 },
      );
    });
  });
}

type Step =
  | { readonly do: 'append'; readonly keys: readonly string[]; readonly bump: boolean }
  | { readonly do: 'commit' | 'truncate' | 'trim'; readonly part: number }
  | { readonly do: 'reopen' };

const part = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      keys: fc.array(fc.constantFrom('a', 'b', 'é', '-d'), { maxLength: 5 }),
      bump: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'truncate' as const, 'trim' as const), part }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

/** The model: the whole log as a list, and how much of it is committed. */
async function agrees(under: DatabaseUnderTest, steps: readonly Step[]): Promise<void> {
  let database = under.open();
  let log: Entry[] = [];
  let committed = 0;
  let base = 0;
  let epoch = 1;
  for (const next of steps) {
    if (next.do === 'append') {
      if (next.bump) epoch++;
      const entries = next.keys.map((key, i) =>
        key.startsWith('-')
          ? remove(epoch, log.length + 1 + i, key.slice(1))
          : put(epoch, log.length + 1 + i, key, `${epoch}/${log.length + i}`),
      );
      await database.append(entries);
      log.push(...entries);
    } else if (next.do === 'reopen') {
      await database.close();
      database = under.open();
      committed = database.state().commitIndex;
    } else {
      const at = committed + Math.floor(next.part * (log.length - committed));
      if (next.do === 'commit') {
        database.commit(at);
        committed = at;
      } else if (next.do === 'truncate') {
        await database.truncate(at);
        log = log.slice(0, at);
      } else {
        base = Math.max(base, Math.min(at, committed));
        await database.trim(at);
      }
    }
    const state = database.state();
    expect(state.log).to.deep.equal({ epoch: log.at(-1)?.epoch ?? 0, index: log.length });
    expect(state.commitIndex).to.equal(committed);
    if (log.length > base) expect(database.entries(base + 1, 1e9)).to.deep.equal(log.slice(base));
  }
  const data = new Map<string, string>();
  for (const entry of log.slice(0, committed))
    if (entry.op === 'put') data.set(entry.key, entry.value);
    else data.delete(entry.key);
  expect(new Map((await rowsOf(database)).map(({ key, value }) => [key, value]))).to.deep.equal(data);
  for (const key of ['a', 'b', 'é', 'd']) expect(database.get(key)).to.equal(data.get(key));
  await database.close();
}
