import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PinnedData } from '../../database/data-reader.ts';
import { openRestoreTarget, type RestoreRow, type RestoreTarget } from '../../database/lmdb-restore.ts';
import { EngineError } from '../../platform/errors.ts';
import { cutRule } from '../chunking/cut-rule.ts';
import { cutRange, rangeFileWriter } from '../chunking/range-cutter.ts';
import { blobId } from '../format/ids.ts';
import type { BackupFile, BackupFiles } from '../repository/file-list.ts';
import { compareInThreads } from './compare-threads.ts';

const never = new AbortController().signal;
const idKey = Buffer.alloc(32, 5);
const RECORDS = 4000;

describe('comparing what was restored, in several threads', () => {
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
  const compare = async (workers: number): Promise<void> =>
    await compareInThreads({ target, databaseFolder: join(folder, 'db'), idKey, files, workers }, never);
  const refusal = async (workers: number): Promise<string> => {
    try {
      await compare(workers);
    } catch (error) {
      if (error instanceof EngineError && error.code === 'backup-failed') return error.message;
      throw error;
    }
    return 'taken';
  };

  it('takes what is just as it was backed up, whatever the number of threads', async () => {
    expect(files.files.length).to.be.greaterThan(20);
    for (const workers of [0, 1, 2, 5]) await compare(workers);
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
      for (const workers of [0, 2])
        expect(await refusal(workers), `${change.key.toString('hex')} ${workers}`).to.match(/not what was backed up/);
      await put([{ key: change.key, value: before === undefined ? null : Buffer.from(before) }]);
      await compare(0);
    }
  });

  it('ends when it is given up', async () => {
    const error = await compareInThreads(
      { target, databaseFolder: join(folder, 'db'), idKey, files, workers: 2 },
      AbortSignal.abort(new EngineError('timeout', 'given up')),
    ).catch((refused: unknown) => refused);
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
