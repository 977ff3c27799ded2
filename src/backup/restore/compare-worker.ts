import { parentPort, workerData } from 'node:worker_threads';
import { openRestoreTarget } from '../../database/lmdb-restore.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import { compareWithFiles, partOf } from './compare.ts';

/** A thread that compares what was put into a restore's target with the backup's files, part by part as they are committed. */
export interface Comparing {
  readonly databaseFolder: string;
  readonly idKey: Uint8Array;
  readonly files: BackupFiles;
}

export interface ToComparer {
  /** So many files are in, from the first on. */
  readonly committed: number;
}

export type FromComparer =
  /** So many files are as they were backed up; 0 when the database is open. */
  { readonly kind: 'compared'; readonly files: number } | { readonly kind: 'differs'; readonly code: string; readonly message: string };

const { databaseFolder, idKey, files } = workerData as Comparing;
const port = parentPort!;
const target = openRestoreTarget(databaseFolder);
const say = (message: FromComparer): void => port.postMessage(message);
let done = 0;

port.on('message', ({ committed }: ToComparer) => {
  try {
    if (committed > done) compareWithFiles(target, idKey, partOf(files, done, committed));
    done = committed;
    say({ kind: 'compared', files: done });
  } catch (error) {
    const { code } = error as { code?: unknown };
    say({ kind: 'differs', code: typeof code === 'string' ? code : 'internal', message: (error as Error).message });
  }
  if (done === files.files.length) void target.close();
});
say({ kind: 'compared', files: 0 });
