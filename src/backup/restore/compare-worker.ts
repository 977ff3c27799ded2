import { parentPort, workerData } from 'node:worker_threads';
import { openRestoreTarget } from '../../database/lmdb-restore.ts';
import type { End } from '../../platform/end-thread.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import { compareWithFiles, partOf } from './compare.ts';

/** A thread that compares what was put into a restore's target with the backup's files, part by part as they are committed. */
export interface Comparing {
  readonly databaseFolder: string;
  readonly idKey: Uint8Array;
  readonly files: BackupFiles;
}

export type ToComparer =
  /** So many files are in, from the first on. */
  { readonly kind: 'committed'; readonly files: number } | End;

export type FromComparer =
  /** So many files are as they were backed up; 0 when the database is open. */
  { readonly kind: 'compared'; readonly files: number } | { readonly kind: 'differs'; readonly code: string; readonly message: string };

const { databaseFolder, idKey, files } = workerData as Comparing;
const port = parentPort!;
const target = openRestoreTarget(databaseFolder);
const say = (message: FromComparer): void => port.postMessage(message);
let done = 0;

port.on('message', (message: ToComparer) => {
  if (message.kind === 'end') {
    port.close();
    void target.close();
    return;
  }
  try {
    if (message.files > done) compareWithFiles(target, idKey, partOf(files, done, message.files));
    done = message.files;
    say({ kind: 'compared', files: done });
  } catch (error) {
    const { code } = error as { code?: unknown };
    say({ kind: 'differs', code: typeof code === 'string' ? code : 'internal', message: (error as Error).message });
  }
});
say({ kind: 'compared', files: 0 });
