import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PinnedData } from '../../database/data-reader.ts';
import { openRestoreTarget, type RestoreRow, type RestoreTarget } from '../../database/lmdb-restore.ts';
import { endThread } from '../../platform/end-thread.ts';
import { EngineError } from '../../platform/errors.ts';
import { cutRule } from '../chunking/cut-rule.ts';
import { cutRange, rangeFileWriter } from '../chunking/range-cutter.ts';
import { blobId } from '../format/ids.ts';
import type { BackupFile, BackupFiles } from '../repository/file-list.ts';
import type { Comparing, FromComparer, ToComparer } from './compare-worker.ts';
import { startComparison } from './comparison.ts';

const never = new AbortController().signal;
const idKey = Buffer.alloc(32, 5);
const RECORDS = 4000;

describe('comparing what was restored, in a thread of its own or not', () => {
  let folder: string;
  let target: RestoreTarget;
  let files: BackupFiles;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coditect-compare-'));
    target = openRestoreTarget(join(folder, 'db'));
    await put(Array.from({ length: RECORDS }, (_, n) => ({ key: keyOf(n), value: Buffer.alloc(300, n) })));
    files = filesOf(target);
  });

  afterEach(async () => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const put = async (rows: readonly RestoreRow[]): Promise<void> => await target.put(rows, { job: 'test', note: '' }, false);
  /** In so many parts. */
  const compare = async (inThread: boolean, parts = 1, signal = never): Promise<void> => {
    const comparison = await startComparison({ target, databaseFolder: join(folder, 'db'), idKey, files, inThread }, signal);
    try {
      for (let part = 0; part <= parts; part++) comparison.committed(Math.floor((files.files.length * part) / parts));
      await comparison.finish();
    } finally {
      await comparison.close();
    }
  };
  const refusal = async (inThread: boolean, parts: number): Promise<string> => {
    try {
      await compare(inThread, parts);
    } catch (error) {
      if (error instanceof EngineError && error.code === 'backup-differs') return error.message;
      throw error;
    }
    return 'taken';
  };

  it('takes what is just as it was backed up, in whatever parts', async () => {
    expect(files.files.length).to.be.greaterThan(20);
    for (const parts of [1, 2, 7, files.files.length]) for (const inThread of [false, true]) await compare(inThread, parts);
  });

  it('refuses a key too many, one too few and another value, wherever they are', async () => {
    const border = files.files[Math.floor(files.files.length / 2)]!.begin;
    for (const change of [
      { key: Buffer.of(0), value: Buffer.of(1) },
      { key: keyOf(0), value: null },
      { key: Buffer.concat([border, Buffer.of(0)]), value: Buffer.of(1) },
      { key: border, value: null },
      { key: border, value: Buffer.of(1) },
      { key: keyOf(RECORDS - 1), value: null },
      { key: Buffer.alloc(4, 0xff), value: Buffer.of(1) },
    ]) {
      const before = target.get(change.key);
      await put([change]);
      for (const inThread of [false, true])
        for (const parts of [1, 3])
          expect(await refusal(inThread, parts), `${change.key.toString('hex')} ${inThread} ${parts}`).to.match(/not what was backed up/);
      await put([{ key: change.key, value: before === undefined ? null : Buffer.from(before) }]);
      await compare(false);
    }
  }).timeout(300_000);

  it('sees what is committed while it goes on, and is not over before all is compared', async () => {
    const last = files.files.at(-1)!.begin;
    const rest: RestoreRow[] = [];
    target.scan(last, (key, keyBytes, value, valueBytes) => {
      rest.push({ key: Buffer.from(key.subarray(0, keyBytes)), value: Buffer.from(value.subarray(0, valueBytes)) });
      return true;
    });
    for (const inThread of [false, true]) {
      await put(rest.map(({ key }) => ({ key, value: null })));
      const comparison = await startComparison({ target, databaseFolder: join(folder, 'db'), idKey, files, inThread }, never);
      try {
        comparison.committed(files.files.length - 1);
        const early = await comparison.finish().catch((refused: unknown) => refused);
        expect((early as EngineError).code).to.equal('internal');
        await put(rest);
        comparison.committed(files.files.length);
        await comparison.finish();
      } finally {
        await comparison.close();
      }
    }
  });

  it('compares in steps in its thread, between which it hears that it is to end', async () => {
    const worker = new Worker(new URL('./compare-worker.js', import.meta.url), {
      workerData: { databaseFolder: join(folder, 'db'), idKey, files } satisfies Comparing,
    });
    const answers: number[] = [];
    const all = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromComparer) => {
        if (message.kind === 'differs') return reject(new Error(message.message));
        answers.push(message.files);
        if (message.files === files.files.length) resolve();
      });
      worker.on('error', reject);
    });
    try {
      worker.postMessage({ kind: 'committed', files: files.files.length } satisfies ToComparer);
      await all;
    } finally {
      await endThread(worker);
    }
    expect(Math.max(...answers.map((count, n) => count - (answers[n - 1] ?? 0)))).to.be.at.most(16);
  });

  it('ends when it is given up', async () => {
    const error = await compare(true, 1, AbortSignal.abort(new EngineError('timeout', 'given up'))).catch((refused: unknown) => refused);
    expect((error as Error).message).to.equal('given up');
  });
});

function keyOf(n: number): Buffer {
  return Buffer.from(`key/${String(n).padStart(6, '0')}`);
}

function filesOf(target: RestoreTarget): BackupFiles {
  const files: BackupFile[] = [];
  const whole = { begin: Buffer.alloc(0), beginExact: true, end: null, endExact: true };
  cutRange(
    target as unknown as PinnedData,
    cutRule(Buffer.alloc(32, 1), 16 * 1024),
    whole,
    rangeFileWriter(),
    ({ begin, count, bytes }) => {
      files.push({ begin: Buffer.from(begin), id: blobId(idKey, bytes), records: count, bytes: bytes.length });
      return true;
    },
  );
  return { files, end: null };
}
