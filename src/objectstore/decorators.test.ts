import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { EngineError, type EngineErrorCode } from '../platform/errors.ts';
import { objectStoreConformance } from './conformance.ts';
import { openFolderStore } from './folder-store.ts';
import { limitBytesInFlight } from './limit.ts';
import type { ObjectStore } from './object-store.ts';
import { withRetry } from './retry.ts';

const policy = { attempts: 3, firstDelayMs: 100, maxDelayMs: 150 };

/** A clock on which sleeping takes no time but is written down. */
function instantClock(slept: number[]): Clock {
  return { monotonicMs: () => 0, wall: () => new Date(0), sleep: async (ms) => void slept.push(ms) };
}

type Failure = 'before' | 'after' | 'none';

/** A real store in which calls fail as told, before or after they were carried out. */
function failing(store: ObjectStore, next: (call: string) => Failure, code: EngineErrorCode = 'object-store-transient'): ObjectStore {
  const through = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    const failure = next(call);
    if (failure === 'before') throw new EngineError(code, 'failed before');
    const result = await work();
    if (failure === 'after') throw new EngineError(code, 'failed after');
    return result;
  };
  return {
    supports: store.supports,
    put: (name, body, options) => through(`put ${name} ${body.length < 100 ? body.toString() : ''}`, () => store.put(name, body, options)),
    get: (name, options) => through(`get ${name}`, () => store.get(name, options)),
    stat: (name, signal) => through(`stat ${name}`, () => store.stat(name, signal)),
    delete: (name, options) => through(`delete ${name}`, () => store.delete(name, options)),
    list: async function* (prefix, options) {
      for await (const object of store.list(prefix, options)) {
        yield object;
        await through(`list ${prefix}`, async () => undefined);
      }
    },
  };
}

/** These failures one after the other, then none. */
function inTurn(...failures: readonly Failure[]): () => Failure {
  const left = [...failures];
  return () => left.shift() ?? 'none';
}

describe('object store decorators', () => {
  let root: string;
  let store: ObjectStore;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'decorators-'));
    store = await openFolderStore(root, Date.now());
  });
  afterEach(() => rm(root, { recursive: true }));

  describe('retry over a store that fails every second call', () => {
    objectStoreConformance(async () => {
      const calls = new Map<string, number>();
      const flaky = failing(await openFolderStore(join(root, 'flaky'), Date.now()), (call) => {
        const before = calls.get(call) ?? 0;
        calls.set(call, before + 1);
        return before % 2 === 0 ? 'before' : 'none';
      });
      return withRetry(flaky, { ...policy, attempts: 10 }, instantClock([]), Math.random);
    });
  });

  describe('limit', () => {
    objectStoreConformance(async () => limitBytesInFlight(await openFolderStore(join(root, 'limited'), Date.now()), 100));
  });

  it('retry waits up to a doubling bound, and gives up with the last error', async () => {
    const slept: number[] = [];
    const retrying = withRetry(failing(store, inTurn('before', 'before', 'before')), policy, instantClock(slept), () => 0.5);
    const outcome: unknown = await retrying.stat('x').catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(EngineError).with.property('code', 'object-store-transient');
    expect(slept).to.deep.equal([50, 75]);
  });

  it('retry does not repeat what will not get better', async () => {
    const slept: number[] = [];
    const retrying = withRetry(failing(store, inTurn('before'), 'object-store-failed'), policy, instantClock(slept), () => 0.5);
    const outcome: unknown = await retrying.stat('x').catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'object-store-failed');
    expect(slept).to.deep.equal([]);
  });

  it('retry knows its own put again, whose answer was lost, and not that of another', async () => {
    const retrying = withRetry(failing(store, inTurn('after', 'none', 'after')), policy, instantClock([]), () => 0);
    const stored = await retrying.put('mine', Buffer.from('my bytes'));
    expect(stored).to.deep.equal({ outcome: 'stored', object: await store.stat('mine') });
    await store.put('theirs', Buffer.from('no bytes'));
    const other = withRetry(failing(store, inTurn('before')), policy, instantClock([]), () => 0);
    expect(await other.put('theirs', Buffer.from('my bytes'))).to.deep.equal({ outcome: 'exists' });
  });

  it('retry of a delete whose answer was lost finds nothing left', async () => {
    await store.put('x', Buffer.from('1'));
    const retrying = withRetry(failing(store, inTurn('after')), policy, instantClock([]), () => 0);
    expect(await retrying.delete('x')).to.deep.equal({ outcome: 'not-found' });
  });

  it('retry goes on with a list after the last object that came', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await store.put(name, Buffer.from(name));
    const retrying = withRetry(failing(store, inTurn('before', 'before', 'before', 'before', 'before')), policy, instantClock([]), () => 0);
    const listed: string[] = [];
    for await (const { name } of retrying.list('')) listed.push(name);
    expect(listed).to.deep.equal(names);
  });

  it('limit never lets more bytes through than it may, except one alone, and loses none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(15), { maxLength: 20 }), async (sizes) => {
        let inFlight = 0;
        let alone = 0;
        const seen: number[] = [];
        const slow: ObjectStore = {
          ...store,
          put: async (_name, body) => {
            inFlight += body.length;
            if (body.length > 0) alone++;
            if (alone > 1) expect(inFlight).to.be.at.most(10);
            for (let turns = body.length % 4; turns >= 0; turns--) await Promise.resolve();
            inFlight -= body.length;
            if (body.length > 0) alone--;
            seen.push(body.length);
            return { outcome: 'exists' };
          },
        };
        const limited = limitBytesInFlight(slow, 10);
        await Promise.all(sizes.map((size, n) => limited.put(`o${n}`, new Uint8Array(size))));
        expect(seen.toSorted((a, b) => a - b)).to.deep.equal(sizes.toSorted((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it('limit lets go those behind one that was aborted while it waited', async () => {
    const held = Promise.withResolvers<void>();
    const begun: string[] = [];
    const slow: ObjectStore = {
      ...store,
      put: async (name) => {
        begun.push(name);
        await held.promise;
        return { outcome: 'exists' };
      },
    };
    const limited = limitBytesInFlight(slow, 10);
    const cancel = new AbortController();
    const first = limited.put('first', new Uint8Array(6));
    const large = limited.put('large', new Uint8Array(9), { signal: cancel.signal });
    const small = limited.put('small', new Uint8Array(4));
    await Promise.resolve();
    expect(begun).to.deep.equal(['first']);
    cancel.abort(new Error('stop'));
    expect(await large.catch((error: unknown) => error)).to.have.property('message', 'stop');
    await Promise.resolve();
    expect(begun).to.deep.equal(['first', 'small']);
    held.resolve();
    await Promise.all([first, small]);
  });
});
