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
  /** So many files are in, from the first on. It is answered in steps. */
  { readonly kind: 'committed'; readonly files: number } | End;

export type FromComparer =
  /** So many files are as they were backed up; 0 when the database is open. */
  { readonly kind: 'compared'; readonly files: number } | { readonly kind: 'differs'; readonly code: string; readonly message: string };

/** Some megabytes. */
const FILES_PER_STEP = 16;

const { databaseFolder, idKey, files } = workerData as Comparing;
const port = parentPort!;
const target = openRestoreTarget(databaseFolder);
const say = (message: FromComparer): void => port.postMessage(message);
let done = 0;
let wanted = 0;
let isOver = false;
let isGoing = false;

port.on('message', (message: ToComparer) => {
  if (message.kind === 'end') {
    isOver = true;
    port.close();
    void target.close();
    return;
  }
  wanted = message.files;
  // Also where it has them all already: it is asked, so it answers.
  if (!isGoing) step();
});
say({ kind: 'compared', files: 0 });

/** A few files at a time: a restore that goes on where another one was has all that is there compared at once, and the thread must hear when it is to end. */
function step(): void {
  isGoing = false;
  if (isOver) return;
  try {
    const to = Math.min(wanted, done + FILES_PER_STEP);
    if (to > done) compareWithFiles(target, idKey, partOf(files, done, to));
    done = to;
    say({ kind: 'compared', files: done });
  } catch (error) {
    isOver = true;
    const { code } = error as { code?: unknown };
    say({ kind: 'differs', code: typeof code === 'string' ? code : 'internal', message: (error as Error).message });
  }
  if (isOver || done >= wanted) return;
  isGoing = true;
  setImmediate(step);
}
