import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGcsStore } from '../objectstore/gcs-store.ts';
import { openFolderStore } from '../objectstore/folder-store.ts';
import { findFakeGcs, startFakeGcs, type FakeGcs } from '../objectstore/testing/fake-gcs.ts';
import { StrictGcs } from '../objectstore/testing/strict-gcs.ts';
import { systemClock } from '../platform/clock.ts';
import type { Arbiter, Lease, Snapshot } from './arbiter.ts';
import { arbiterConformance } from './conformance.ts';
import { openObjectArbiter } from './object-store.ts';

/** Patient: the machine may be busy. */
const LIMIT_MS = 15_000;
const lease = (incarnation: string, seq: number): Lease => ({ epoch: 1, holder: 'us-central1', incarnation, seq });

interface Place {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly writesApartMs?: number;
  readonly timeoutMs?: number;
}

function open({ endpoint, bucket, prefix = 'arbiter/', writesApartMs = 0, timeoutMs = LIMIT_MS }: Place): Arbiter {
  const store = openGcsStore({ bucket, endpoint, timeoutMs });
  return openObjectArbiter({ store, prefix, pollMs: 5, writesApartMs, clock: systemClock });
}

const fakePath = findFakeGcs();
describe(`an arbiter on fake-gcs-server${fakePath === undefined ? ': skipped, it is neither on PATH nor in GOPATH/bin' : ''}`, () => {
  let server: FakeGcs;
  before(async function () {
    if (fakePath === undefined) return this.skip();
    server = await startFakeGcs(fakePath);
  });
  after(() => server?.stop());

  arbiterConformance('objects on fake-gcs-server', async () => {
    const bucket = await server.newBucket();
    return { open: () => open({ endpoint: server.endpoint, bucket }) };
  });
});

describe('an arbiter on a strict store of ours', () => {
  const gcs = new StrictGcs();
  const opened: Arbiter[] = [];
  const openHere = (change: Partial<Place> = {}): Arbiter => {
    const arbiter = open({ endpoint: gcs.endpoint, bucket: 'test', ...change });
    opened.push(arbiter);
    return arbiter;
  };
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no failure',
      (caught: unknown) => caught,
    );
  before(() => gcs.start());
  afterEach(() => (gcs.updatesApartMs = 0));
  after(async () => {
    await Promise.all(opened.map((arbiter) => arbiter.close()));
    await gcs.stop();
  });

  arbiterConformance('objects on a strict store', async () => ({ open: () => open({ endpoint: gcs.endpoint, bucket: 'test' }) }));

  it('says unknown where the answer of a write was lost; asked again, it is one write', async () => {
    const arbiter = openHere({ prefix: 'lost/' });
    gcs.fail('cut-after');
    expect(await arbiter.cas('lease', null, lease('a', 0))).to.deep.equal({ ok: false, reason: 'unknown' });
    expect(await arbiter.cas('lease', null, lease('a', 0))).to.deep.equal({ ok: true, revision: 1 });
    gcs.fail('cut-before');
    expect(await arbiter.cas('lease', 1, lease('a', 1))).to.deep.equal({ ok: false, reason: 'unknown' });
    expect(await arbiter.cas('lease', 1, lease('a', 1))).to.deep.equal({ ok: true, revision: 2 });
  });

  it('writes at a revision that it has not seen itself', async () => {
    const first = openHere({ prefix: 'cold/' });
    await first.cas('lease', null, lease('a', 0));
    expect(await openHere({ prefix: 'cold/' }).cas('lease', 1, lease('a', 1))).to.deep.equal({ ok: true, revision: 2 });
    const refused = await first.cas('lease', 1, lease('b', 1));
    expect(refused).to.deep.equal({ ok: false, reason: 'conflict', current: { value: lease('a', 1), revision: 2 } });
  });

  it('says unknown where the bucket takes no more writes of an object now, and never is refused when it keeps its writes apart', async () => {
    gcs.updatesApartMs = 60_000;
    const hasty = openHere({ prefix: 'hasty/' });
    await hasty.cas('lease', null, lease('a', 0));
    expect(await hasty.cas('lease', 1, lease('a', 1))).to.deep.equal({ ok: false, reason: 'unknown' });
    gcs.updatesApartMs = 100;
    const patient = openHere({ prefix: 'patient/', writesApartMs: 150 });
    for (let seq = 0; seq < 4; seq++)
      expect(await patient.cas('lease', seq === 0 ? null : seq, lease('a', seq))).to.deep.equal({ ok: true, revision: seq + 1 });
    expect(await patient.cas('leader', null, { region: 'us-east1', incarnation: 'a', seq: 0 })).to.have.property('ok', true);
  });

  it('shows only what was there together, to readers and to watchers', async () => {
    const writer = openHere({ prefix: 'both/' });
    const write = async (at: number | null, seq: number): Promise<void> => {
      expect(await writer.cas('replication', at, { epoch: seq, mode: 'sync', set: [], w: 1 })).to.have.property('ok', true);
      expect(await writer.cas('lease', at, lease('a', seq))).to.have.property('ok', true);
    };
    /** The next reading of the lease is held until the record beside it was read, and then until both were written. */
    const overtakeNextLook = (at: number, seq: number): Promise<void> =>
      new Promise((done, fail) => {
        gcs.before = async (request) => {
          if (request !== 'GET /storage/v1/b/test/o/both%2Flease') return;
          gcs.before = null;
          await systemClock.sleep(50);
          await write(at, seq).then(done, fail);
        };
      });
    const seqs = ({ replication, lease: held }: Snapshot): readonly unknown[] => [replication?.value.epoch, held?.value.seq];
    await write(null, 0);
    const overtaken = overtakeNextLook(1, 1);
    const read = await openHere({ prefix: 'both/' }).read();
    await overtaken;
    const seen: (readonly unknown[])[] = [];
    const ending = new AbortController();
    const watching = openHere({ prefix: 'both/' }).watch((snapshot) => seen.push(seqs(snapshot)), ending.signal);
    while (seen.length === 0) await systemClock.sleep(5);
    await overtakeNextLook(2, 2);
    while (seen.at(-1)?.[1] !== 2) await systemClock.sleep(5);
    ending.abort();
    await watching;
    expect(seqs(read)).to.deep.equal([1, 1]);
    expect(seen).to.deep.equal([
      [1, 1],
      [2, 2],
    ]);
  });

  it('gives up on a store that does not answer, and works again when it does', async () => {
    const arbiter = openHere({ prefix: 'silent/', timeoutMs: 100 });
    gcs.fail('silence');
    expect(await arbiter.cas('lease', null, lease('a', 0))).to.deep.equal({ ok: false, reason: 'unknown' });
    gcs.fail('silence');
    expect(await failure(arbiter.read())).to.include({ code: 'arbiter-unavailable' });
    gcs.failNoMore(); // a request that was given up on its way has met no fault
    gcs.fail({ status: 403 });
    expect(await failure(openHere({ prefix: 'silent/' }).read()))
      .to.include({ code: 'arbiter-unavailable' })
      .and.to.have.property('message')
      .that.contains('403');
    // On a busy machine an answer may take longer than this one waits.
    while (!(await arbiter.cas('lease', null, lease('a', 0))).ok) await systemClock.sleep(5);
  });

  it('goes on watching through an outage, and ends when it is closed', async () => {
    const writer = openHere({ prefix: 'outage/' });
    const watcher = openHere({ prefix: 'outage/' });
    const seqs: number[] = [];
    const watching = watcher.watch(({ lease: held }) => seqs.push(held?.value.seq ?? -1), new AbortController().signal);
    await writer.cas('lease', null, lease('a', 0));
    while (seqs.at(-1) !== 0) await systemClock.sleep(5);
    gcs.fail({ status: 503 }, { status: 503 }, 'cut-before');
    while ((await writer.cas('lease', 1, lease('a', 1))).ok === false) await systemClock.sleep(5);
    while (seqs.at(-1) !== 1) await systemClock.sleep(5);
    await watcher.close();
    await watching;
    expect(await watcher.cas('lease', 2, lease('a', 2))).to.deep.equal({ ok: false, reason: 'unknown' });
  });

  it('says that an object is no record of its own', async () => {
    const store = openGcsStore({ bucket: 'test', endpoint: gcs.endpoint, timeoutMs: LIMIT_MS });
    await store.put('foreign/lease', Buffer.from('{"epoch":1}'));
    const arbiter = openHere({ prefix: 'foreign/' });
    expect(await failure(arbiter.read())).to.include({ code: 'internal' });
    expect(await failure(arbiter.watch(() => undefined, new AbortController().signal))).to.include({ code: 'internal' });
  });

  it('refuses a store that cannot replace under a condition', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'arbiter-'));
    try {
      const store = await openFolderStore(folder, Date.now());
      const attempt = (): Arbiter => openObjectArbiter({ store, prefix: 'a/', pollMs: 5, writesApartMs: 0, clock: systemClock });
      expect(attempt).to.throw('under a condition');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
