import { Worker } from 'node:worker_threads';
import type { RestoreTarget } from '../../database/lmdb-restore.ts';
import { EngineError, type EngineErrorCode } from '../../platform/errors.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import { compareWithFiles } from './compare.ts';
import type { Compared, ComparePart } from './compare-worker.ts';

interface Comparing {
  readonly target: RestoreTarget;
  readonly databaseFolder: string;
  readonly idKey: Uint8Array;
  readonly files: BackupFiles;
  /** Threads; 0 compares in this one. */
  readonly workers: number;
}

/** As compareWithFiles, several parts at a time; what was put must be committed. @throws EngineError backup-failed */
export async function compareInThreads({ target, databaseFolder, idKey, files, workers }: Comparing, signal: AbortSignal): Promise<void> {
  const parts = partsOf(files, workers);
  if (parts.length < 2) compareWithFiles(target, idKey, files);
  else await Promise.all(parts.map(async (part) => await compareInThread({ databaseFolder, idKey, files: part }, signal)));
}

async function compareInThread(part: ComparePart, signal: AbortSignal): Promise<void> {
  const worker = new Worker(new URL('./compare-worker.js', import.meta.url), { workerData: part });
  const ended = Promise.withResolvers<Compared>();
  // Who gave it up does not wait for it.
  ended.promise.catch(() => undefined);
  const abort = (): void => ended.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  worker.once('message', ended.resolve);
  worker.once('error', ended.reject);
  // After the message, or instead of it.
  worker.once('exit', (code) => ended.reject(new EngineError('internal', `a comparing thread ended (${code})`)));
  try {
    signal.throwIfAborted();
    const compared = await ended.promise;
    if (compared !== null) throw new EngineError(compared.code as EngineErrorCode, compared.message);
  } finally {
    signal.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

/** Parts of about the same size that follow each other from the first file to the end. */
function partsOf({ files, end }: BackupFiles, count: number): readonly BackupFiles[] {
  const share = files.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(1, count);
  const starts = [0];
  let [bytes, n] = [0, 0];
  for (const file of files) {
    if (bytes >= share * starts.length && n > starts.at(-1)! && starts.length < count) starts.push(n);
    bytes += file.bytes;
    n++;
  }
  return starts.map((start, part) => {
    const next = starts[part + 1];
    return { files: files.slice(start, next), end: next === undefined ? end : files[next]!.begin };
  });
}
