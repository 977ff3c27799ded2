import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../platform/clock.ts';
import { EngineError, type EngineErrorCode } from '../platform/errors.ts';
import { objectStoreConformance } from './conformance.ts';
import { openGcsStore } from './gcs-store.ts';
import type { ObjectStore } from './object-store.ts';
import { withRetry } from './retry.ts';
import { StrictGcs } from './testing/strict-gcs.ts';

describe('Google Cloud Storage, against a strict store of ours', () => {
  const gcs = new StrictGcs();
  let store: ObjectStore;
  before(() => gcs.start());
  after(() => gcs.stop());
  beforeEach(() => {
    gcs.clear();
    store = openGcsStore({ bucket: 'test', endpoint: gcs.endpoint, timeoutMs: 15_000 });
  });

  objectStoreConformance(async () => store);

  async function expectError(attempt: Promise<unknown>, code: EngineErrorCode): Promise<void> {
    const outcome: unknown = await attempt.catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(EngineError).with.property('code', code);
  }

  it('takes a single request up to 32 MiB, and an upload that can go on above', async () => {
    const large = Buffer.alloc(32 * 1024 * 1024 + 1, 7);
    await store.put('at', large.subarray(1));
    expect(await store.put('above', large)).to.have.nested.property('object.bytes', large.length);
    expect(gcs.requests[0]).to.match(/ multipart$/);
    expect(gcs.requests.slice(1).every((request) => request.endsWith(' resumable'))).to.equal(true);
  });

  it('calls what the server says of itself transient, and a refusal final', async () => {
    for (const status of [408, 429, 500, 503]) {
      gcs.fail({ status });
      await expectError(store.stat('x'), 'object-store-transient');
      gcs.fail({ status });
      await expectError(store.put('x', Buffer.from('1')), 'object-store-transient');
    }
    for (const status of [400, 401, 403]) {
      gcs.fail({ status });
      await expectError(store.get('x', { maxBytes: 1 }), 'object-store-failed');
      gcs.fail({ status });
      await expectError(store.put('x', Buffer.from('1')), 'object-store-failed');
    }
  });

  it('calls a broken connection and silence transient', async () => {
    gcs.fail('cut-before');
    await expectError(store.put('x', Buffer.from('1')), 'object-store-transient');
    gcs.fail('cut-before');
    await expectError(store.get('x', { maxBytes: 1 }), 'object-store-transient');
    const hasty = openGcsStore({ bucket: 'test', endpoint: gcs.endpoint, timeoutMs: 100 });
    gcs.fail('silence', 'silence', 'silence');
    await expectError(hasty.stat('x'), 'object-store-transient');
    await expectError(hasty.get('x', { maxBytes: 1 }), 'object-store-transient');
    await expectError(hasty.put('x', Buffer.from('1')), 'object-store-transient');
  });

  it('is not harmed by answers that come when nobody waits for them any more', async () => {
    await store.put('x', Buffer.from('1'));
    const hasty = openGcsStore({ bucket: 'test', endpoint: gcs.endpoint, timeoutMs: 50 });
    const list = async (): Promise<void> => {
      for await (const object of hasty.list('')) expect(object).to.be.an('object');
    };
    const attempts = [() => hasty.get('x', { maxBytes: 1 }), () => hasty.put('y', Buffer.from('1')), () => hasty.stat('x'), list];
    const uncaught: unknown[] = [];
    const note = (reason: unknown): unknown => uncaught.push(reason);
    process.on('unhandledRejection', note);
    for (const attempt of attempts) {
      const answered = Promise.withResolvers<void>();
      let isAsked = false;
      gcs.before = async () => {
        isAsked = true;
        await systemClock.sleep(150);
        setTimeout(answered.resolve, 50);
      };
      // On a busy machine one may be given up before it has left.
      while (!isAsked) await expectError(attempt(), 'object-store-transient');
      await answered.promise;
    }
    process.off('unhandledRejection', note);
    gcs.before = null;
    expect(uncaught).to.deep.equal([]);
  });

  it('never shows what has no name of an object: the folders that a console makes', async () => {
    await store.put('keys/a', Buffer.from('1'));
    for (const name of ['keys/', 'keys/.keep', 'keys/b c']) gcs.add(name, Buffer.alloc(0));
    const names: string[] = [];
    for await (const { name } of store.list('keys/')) names.push(name);
    expect(names).to.deep.equal(['keys/a']);
  });

  it('does not take bytes that were changed on their way here', async () => {
    await store.put('x', Buffer.from('12345'));
    gcs.fail('corrupt-download');
    await expectError(store.get('x', { maxBytes: 5 }), 'object-store-transient');
    expect(await store.get('x', { maxBytes: 5 })).to.have.property('outcome', 'found');
  });

  it('does not call stored what the bucket stored otherwise, and removes it', async () => {
    gcs.fail('store-short');
    await expectError(store.put('x', Buffer.from('12345')), 'object-store-transient');
    expect(await store.stat('x')).to.equal(null);
  });

  it('removes nothing that it was to replace, whatever the bucket made of it: a lease that is gone is one that nobody ever had', async () => {
    const first = await store.put('lease', Buffer.from('12345'));
    const replace = { generation: first.outcome === 'stored' ? first.object.generation : '' };
    gcs.fail('store-short');
    await expectError(store.put('lease', Buffer.from('67890'), { replace }), 'object-store-transient');
    expect((await store.stat('lease'))?.bytes).to.equal(4);
  });

  it('with retry gets through faults, and knows its own object again after a lost answer', async () => {
    const retrying = withRetry(store, { attempts: 4, firstDelayMs: 1, maxDelayMs: 2 }, systemClock, Math.random);
    const body = randomBytes(1000);
    gcs.fail({ status: 503 }, 'cut-after');
    expect(await retrying.put('x', body)).to.deep.equal({ outcome: 'stored', object: await store.stat('x') });
    gcs.fail('corrupt-download', { status: 429 }, 'cut-before');
    const found = await retrying.get('x', { maxBytes: 1000 });
    expect(found.outcome === 'found' && found.body.equals(body)).to.equal(true);
  });

  it('stops waiting when it is told to, with the reason', async () => {
    for (const attempt of [
      (signal: AbortSignal) => store.put('x', Buffer.from('1'), { signal }),
      (signal: AbortSignal) => store.get('x', { maxBytes: 1, signal }),
      (signal: AbortSignal) => store.stat('x', signal),
    ]) {
      gcs.fail('silence');
      const stop = new AbortController();
      const outcome = attempt(stop.signal).catch((error: unknown) => error);
      setImmediate(() => stop.abort(new Error('stop')));
      expect(await outcome).to.have.property('message', 'stop');
      gcs.clear();
    }
  });
});
