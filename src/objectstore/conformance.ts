import { crc32c } from '@node-rs/crc32';
import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { EngineError, type EngineErrorCode } from '../platform/errors.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

/** What the store under test is known not to do, with its reason: that part is then skipped by name. */
export interface ConformanceGaps {
  readonly conditionalDelete?: string;
}

/**
 * What every ObjectStore must do; to be called inside a mocha `describe`. open gives a store with nothing in it, for each test.
 */
export function objectStoreConformance(open: () => Promise<ObjectStore>, gaps: ConformanceGaps = {}): void {
  let store: ObjectStore;
  beforeEach(async () => {
    store = await open();
  });

  describe('put', () => {
    it('stores an object that get, stat and list then give back', async () => {
      const body = randomBytes(1000);
      const { object } = await stored(store, 'packs/ab/one', body);
      expect(object).to.include({ name: 'packs/ab/one', bytes: 1000, crc32c: store.supports.storedChecksums ? crc32c(body) : null });
      expect(await store.get('packs/ab/one', { maxBytes: 1000 })).to.deep.equal({ outcome: 'found', body, generation: object.generation });
      expect(await store.stat('packs/ab/one')).to.deep.equal(object);
      expect(await all(store.list('packs/'))).to.deep.equal([object]);
    });

    it('creates only: an object that exists stays as it is', async () => {
      const { object } = await stored(store, 'config.json', Buffer.from('first'));
      expect(await store.put('config.json', Buffer.from('second'))).to.deep.equal({ outcome: 'exists' });
      expect(await store.stat('config.json')).to.deep.equal(object);
      expect(await bodyOf(store, 'config.json')).to.equal('first');
    });

    it('lets one of many win that create the same name at once', async () => {
      const bodies = Array.from({ length: 8 }, (_, n) => `racer ${n}`);
      const outcomes = await Promise.all(bodies.map((body) => store.put('race', Buffer.from(body))));
      expect(outcomes.filter(({ outcome }) => outcome === 'stored')).to.have.length(1);
      expect(outcomes.filter(({ outcome }) => outcome === 'exists')).to.have.length(7);
      expect(await bodyOf(store, 'race')).to.equal(bodies[outcomes.findIndex(({ outcome }) => outcome === 'stored')]);
    });

    it('stores an empty object and one of some MiB', async () => {
      const large = randomBytes(3 * 1024 * 1024 + 1);
      await stored(store, 'empty', new Uint8Array());
      await stored(store, 'large', large);
      expect(await store.get('empty', { maxBytes: 0 }))
        .to.include({ outcome: 'found' })
        .and.to.have.nested.property('body.length', 0);
      const found = await store.get('large', { maxBytes: large.length });
      expect(found.outcome === 'found' && found.body.equals(large)).to.equal(true);
    });

    it('refuses a body that has another CRC32C than the caller says', async () => {
      await expectError(store.put('damaged', Buffer.from('x'), { crc32c: 1 }), 'backup-damaged');
      expect(await store.stat('damaged')).to.equal(null);
    });

    it('replaces just the generation that was named, or says that it cannot', async () => {
      const first = await stored(store, 'lease', Buffer.from('1'));
      const replace = { generation: first.object.generation };
      if (!store.supports.conditionalReplace) return expectError(store.put('lease', Buffer.from('2'), { replace }), 'object-store-failed');
      const outcomes = await Promise.all(['2', '3', '4'].map((body) => store.put('lease', Buffer.from(body), { replace })));
      const winner = outcomes.findIndex(({ outcome }) => outcome === 'stored');
      expect(outcomes.map(({ outcome }) => outcome).toSorted()).to.deep.equal(['changed', 'changed', 'stored']);
      expect(await bodyOf(store, 'lease')).to.equal(['2', '3', '4'][winner]);
      expect((await store.stat('lease'))?.generation).not.to.equal(first.object.generation);
      expect(await store.put('never', Buffer.from('1'), { replace })).to.deep.equal({ outcome: 'changed' });
    });
  });

  describe('get', () => {
    it('gives the range that was asked for, as far as it exists', async () => {
      await stored(store, 'text', Buffer.from('0123456789'));
      const range = async (begin: number, end: number): Promise<string> => {
        const found = await store.get('text', { range: { begin, end }, maxBytes: 100 });
        return found.outcome === 'found' ? found.body.toString() : found.outcome;
      };
      expect(await range(0, 1)).to.equal('0');
      expect(await range(3, 7)).to.equal('3456');
      expect(await range(9, 10)).to.equal('9');
      expect(await range(8, 50)).to.equal('89');
      expect(await range(10, 12)).to.equal('');
      expect(await range(1000, 1001)).to.equal('');
    });

    it('says not-found, also for a range', async () => {
      expect(await store.get('none', { maxBytes: 10 })).to.deep.equal({ outcome: 'not-found' });
      expect(await store.get('no/ne', { range: { begin: 0, end: 1 }, maxBytes: 10 })).to.deep.equal({ outcome: 'not-found' });
      expect(await store.stat('none')).to.equal(null);
    });

    it('refuses an object above the limit, and a range that is none', async () => {
      await stored(store, 'text', Buffer.from('0123456789'));
      await expectError(store.get('text', { maxBytes: 9 }), 'object-store-failed');
      for (const [begin, end] of [
        [2, 2],
        [3, 2],
        [-1, 2],
        [0, 11],
        [0, 1.5],
      ] as const) {
        await expectError(store.get('text', { range: { begin, end }, maxBytes: 10 }), 'bad-request');
      }
    });
  });

  describe('list', () => {
    it('gives what begins with the prefix in byte order, from after a name', async () => {
      const names = ['a', 'a-b/x', 'a.b', 'a/b', 'a/b-c', 'a0', 'b/a', 'b/b/c'].filter((name) => name !== 'a'); // a folder cannot hold `a` and `a/b`
      for (const name of names.toReversed()) await stored(store, name, Buffer.from(name));
      const listed = async (prefix: string, after?: string): Promise<string[]> =>
        (await all(store.list(prefix, after === undefined ? {} : { after }))).map(({ name }) => name);
      expect(await listed('')).to.deep.equal(names);
      expect(await listed('a/')).to.deep.equal(['a/b', 'a/b-c']);
      expect(await listed('a')).to.deep.equal(names.filter((name) => name.startsWith('a')));
      expect(await listed('b/b')).to.deep.equal(['b/b/c']);
      expect(await listed('c/')).to.deep.equal([]);
      for (const after of [...names, 'a', 'a/', 'b', 'b/a/z', 'zz'])
        expect(await listed('', after), after).to.deep.equal(names.filter((name) => name > after));
      expect(await listed('a', 'a/b')).to.deep.equal(['a/b-c', 'a0']);
    });
  });

  describe('delete', () => {
    it('removes an object; what is not there is no error', async () => {
      await stored(store, 'x/y', Buffer.from('1'));
      expect(await store.delete('x/y')).to.deep.equal({ outcome: 'deleted' });
      expect(await store.delete('x/y')).to.deep.equal({ outcome: 'not-found' });
      expect(await store.get('x/y', { maxBytes: 1 })).to.deep.equal({ outcome: 'not-found' });
      expect(await all(store.list(''))).to.deep.equal([]);
    });

    it('makes the name free, for an object of another generation', async () => {
      const first = await stored(store, 'x', Buffer.from('1'));
      await store.delete('x');
      const second = await stored(store, 'x', Buffer.from('1'));
      expect(second.object.generation).not.to.equal(first.object.generation);
    });

    it(`removes just the generation that was named${gaps.conditionalDelete === undefined ? '' : `: skipped, ${gaps.conditionalDelete}`}`, async function () {
      if (gaps.conditionalDelete !== undefined) return this.skip();
      const first = await stored(store, 'x', Buffer.from('1'));
      await store.delete('x');
      const { object } = await stored(store, 'x', Buffer.from('2'));
      expect(await store.delete('x', { generation: first.object.generation })).to.deep.equal({ outcome: 'changed' });
      expect(await store.stat('x')).to.deep.equal(object);
      expect(await store.delete('x', { generation: object.generation })).to.deep.equal({ outcome: 'deleted' });
      expect(await store.delete('x', { generation: object.generation })).to.deep.equal({ outcome: 'not-found' });
    });
  });

  it('refuses names that could be something else somewhere', async () => {
    for (const name of [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      '.',
      '.tmp/x',
      'a b',
      'ä',
      'a\0b',
      'a\\b',
      'x'.repeat(129),
      'a/'.repeat(300) + 'a',
    ]) {
      await expectError(store.put(name, Buffer.from('1')), 'bad-request');
      await expectError(store.get(name, { maxBytes: 1 }), 'bad-request');
      await expectError(store.stat(name), 'bad-request');
      await expectError(store.delete(name), 'bad-request');
    }
    await expectError(all(store.list('../')), 'bad-request');
  });

  it('does nothing once its signal is aborted, and gives the reason', async () => {
    await stored(store, 'x', Buffer.from('1'));
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    const attempts = [
      store.put('y', Buffer.from('1'), { signal }),
      store.get('x', { maxBytes: 1, signal }),
      store.stat('x', signal),
      store.delete('x', { signal }),
      all(store.list('', { signal })),
    ];
    for (const attempt of attempts) expect(await (attempt as Promise<unknown>).catch((error: unknown) => error)).to.equal(reason);
    expect((await all(store.list(''))).map(({ name }) => name)).to.deep.equal(['x']);
  });
}

async function stored(store: ObjectStore, name: string, body: Uint8Array): Promise<{ readonly object: StoredObject }> {
  const result = await store.put(name, body, { crc32c: crc32c(body) });
  if (result.outcome !== 'stored') throw new Error(`${name}: ${result.outcome}`);
  return result;
}

async function bodyOf(store: ObjectStore, name: string): Promise<string> {
  const found = await store.get(name, { maxBytes: 1000 });
  return found.outcome === 'found' ? found.body.toString() : found.outcome;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

async function expectError(attempt: Promise<unknown>, code: EngineErrorCode): Promise<void> {
  const outcome: unknown = await attempt.catch((error: unknown) => error);
  expect(outcome).to.be.instanceOf(EngineError).with.property('code', code);
}
