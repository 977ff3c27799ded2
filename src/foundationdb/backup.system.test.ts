import { expect } from 'chai';
import type { Database, Transaction } from 'foundationdb';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../backup/format/manifest.ts';
import { remoteSource } from '../backup/pipeline/remote-source.ts';
import { restoreRemote } from '../backup/restore/restore-remote.ts';
import { runCli } from '../cli.ts';
import type { RemoteDatabase, SliceReader } from '../database/remote-snapshot.ts';
import type { RemoteTarget } from '../database/remote-target.ts';
import { systemClock } from '../platform/clock.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { BackupLab } from '../testing/backup-lab.ts';
import { findFoundationdb, FoundationdbCluster } from '../testing/foundationdb-cluster.ts';
import { openCluster } from './client.ts';
import { readAll, writeKey, type Authority } from './data.ts';
import { NO_FENCE, openFence, readFence } from './fence.ts';
import { afterPrefix, dataKey, keySpaceOf, type KeySpace } from './key-space.ts';
import { lockUid } from './lock-uid.ts';
import { lockDatabase, lockOf, unlockDatabase } from './lock.ts';
import { foundationdbToRead } from './remote-database.ts';
import { foundationdbToFill } from './remote-target.ts';
import { transact, type Outcome } from './transaction.ts';

const programs = findFoundationdb();
const LIMIT_MS = 10_000;
const BY: Authority = { epoch: 4, region: 'us-east1' };
const never = new AbortController().signal;
const LOCK = { system: 'backup of lab', epoch: 1 };
const RECORDS = 3000;
/** So that even so little data is read in several parts, side by side. */
const PART_BYTES = 1024 * 1024;

function done<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}
const nameOf = (n: number): string => `account/${String(n).padStart(6, '0')}`;

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

  async function write(work: (transaction: Transaction) => void): Promise<void> {
    const change = async (transaction: Transaction): Promise<{ commit: true; value: null }> => {
      work(transaction);
      return await Promise.resolve({ commit: true, value: null });
    };
    done(await transact(db, change, { timeoutMs: LIMIT_MS }));
  }
  /** A key space of its own, full and served. */
  async function filled(): Promise<{ keys: KeySpace; content: Map<string, string> }> {
    const keys = keySpaceOf(`test-${spaces++}/`);
    const content = new Map(Array.from({ length: RECORDS }, (_, n) => [nameOf(n), `${n} ${'x'.repeat((n * 7) % 3000)}`]));
    const rows = [...content];
    for (let from = 0; from < rows.length; from += 500)
      await write((transaction) => {
        for (const [key, value] of rows.slice(from, from + 500)) transaction.set(dataKey(keys, key), Buffer.from(value));
      });
    done(await openFence(db, keys.fence, BY, LIMIT_MS));
    return { keys, content };
  }
  const put = async (keys: KeySpace, key: string, value: string | null): Promise<Outcome<unknown>> =>
    await writeKey({ db, keys }, BY, key, value, LIMIT_MS);
  /** Does not close the client, which all tests share. */
  const toRead = (keys: KeySpace, locks = false): RemoteDatabase => ({
    ...foundationdbToRead({ db, keys, clock: systemClock, lock: LOCK, locks }),
    close: () => undefined,
  });
  const back = async (database: RemoteDatabase): Promise<Manifest> => {
    const { keys } = await lab.repository();
    const source = remoteSource({
      open: () => Promise.resolve(database),
      kind: 'foundationdb',
      chunkKey: keys.chunk,
      partBytes: PART_BYTES,
    });
    return (await lab.backup({ source })).manifest;
  };
  const target = (keys: KeySpace): RemoteTarget => foundationdbToFill({ db, keys, lock: { system: 'restore of lab', epoch: 1 } });
  const restore = async (manifest: Manifest, into: RemoteTarget, signal = never): Promise<void> => {
    const options = { repository: await lab.repository(), manifest, target: into, workers: 1, highestEpoch: () => Promise.resolve(9) };
    await restoreRemote({ ...options, clock: systemClock, onProgress: () => undefined }, signal);
  };
  const contentOf = async (keys: KeySpace): Promise<Map<string, string>> => {
    const content = new Map<string, string>();
    for await (const { key, value } of (await readAll({ db, keys }, LIMIT_MS)).rows) content.set(key, value);
    return content;
  };
  const fenceOf = async (keys: KeySpace): Promise<unknown> =>
    done(
      await transact(db, async (transaction) => ({ commit: false, value: await readFence(transaction, keys.fence) }), {
        timeoutMs: LIMIT_MS,
      }),
    );
  /** Calls `between` after the first slice was read. */
  const withPause = (database: RemoteDatabase, between: () => Promise<void>): RemoteDatabase => ({
    ...database,
    snapshot: async (signal) => {
      const snapshot = await database.snapshot(signal);
      let paused: Promise<void> | null = null;
      const slice: SliceReader['slice'] = async (...bounds) => {
        await paused;
        const read = await snapshot.slice(...bounds);
        await (paused ??= between());
        return read;
      };
      return { ...snapshot, slice };
    },
  });

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

    await write((transaction) => transaction.clearRange(keys.all, afterPrefix(keys.all)));
    await restore(manifest, target(keys));
    const restored = await contentOf(keys);
    expect(restored.size).to.equal(expected.size);
    expect([...restored].filter(([key, value]) => expected.get(key) !== value)).to.deep.equal([]);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
    // Served next above all epochs that the repository knows.
    expect(await fenceOf(keys)).to.deep.include({
      ...NO_FENCE,
      epoch: 9,
      restored: true,
      version: ((await fenceOf(keys)) as { version: number }).version,
    });
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
    await write((transaction) => transaction.clear(keys.fence));
    const manifest = await back(toRead(keys));
    expect(manifest.database).to.include({ snapshot: 'read-version' });
    expect(await lab.restore(manifest, 'embedded')).to.deep.equal(content);
  });

  it('are not restored over data, and one that was interrupted leaves nothing that is served, and is begun anew', async () => {
    const { keys, content } = await filled();
    const manifest = await back(toRead(keys));
    const refused = await restore(manifest, target(keys)).catch((thrown: unknown) => thrown);
    expect((refused as Error).message).to.match(/not empty; restore into an empty one/);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
    expect(await contentOf(keys)).to.deep.equal(content);

    const empty = keySpaceOf(`test-${spaces++}/`);
    const failing = target(empty);
    let puts = 0;
    const partly = {
      ...failing,
      put: (rows: Parameters<RemoteTarget['put']>[0]) => (puts++ < 3 ? failing.put(rows) : Promise.reject(new Error('killed'))),
    };
    expect(
      await restore(manifest, partly).then(
        () => null,
        (thrown: Error) => thrown.message,
      ),
    ).to.equal('killed');
    expect(await put(empty, 'a', 'x')).to.include({ kind: 'not-done', reason: 'locked' });
    await restore(manifest, target(empty));
    expect(await contentOf(empty)).to.deep.equal(content);
    expect(done(await lockOf(db, LIMIT_MS))).to.equal(null);
  });

  it('are not made live where what is read back is not what was backed up', async () => {
    const { keys } = await filled();
    const manifest = await back(toRead(keys));
    for (const stranger of ['account/000100x', 'zzz']) {
      const empty = keySpaceOf(`test-${spaces++}/`);
      const real = target(empty);
      // Somebody else who writes past the lock.
      const disturbed = {
        ...real,
        put: async (rows: Parameters<RemoteTarget['put']>[0]) =>
          await real.put([...rows, { key: Buffer.from(stranger), value: Buffer.from('!') }]),
      };
      const error = await restore(manifest, disturbed).catch((thrown: unknown) => thrown);
      expect((error as { code?: unknown }).code).to.equal('backup-differs');
      expect(await put(empty, 'a', 'x')).to.include({ reason: 'locked' });
      done(await unlockDatabase(db, { system: 'restore of lab', epoch: 1 }, LIMIT_MS));
    }
  });

  it('are made, verified and restored by the commands', async () => {
    const { keys, content } = await filled();
    const folder = join(lab.folder, 'commands');
    mkdirSync(join(folder, 'data'), { recursive: true });
    const run = async (words: readonly string[], prefix: string): Promise<string> => {
      const library = (programs as { library: string | null }).library;
      const database = {
        kind: 'foundationdb',
        experimental: true,
        cluster_file: cluster.clusterFile,
        prefix,
        data_centers: { 'us-central1': 'dc1', 'us-east1': 'dc2' },
        ...(library === null ? {} : { client_library: library }),
      };
      writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ ...backupCommandConfig('x', 'data', {}), database }));
      let said = '';
      const out = (text: string): void => void (said += text);
      const code = await runCli(['backup', ...words, '--config', join(folder, 'config.yaml')], {
        environment: {},
        signal: never,
        out,
        err: out,
      });
      expect(code, said).to.equal(0);
      return said;
    };
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
