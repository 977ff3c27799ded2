import { parentPort, workerData } from 'node:worker_threads';
import { openRestoreTarget } from '../../database/lmdb-restore.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import { compareWithFiles } from './compare.ts';

/** A thread that compares a part of what was restored with the backup's files. */
export interface ComparePart {
  readonly databaseFolder: string;
  readonly idKey: Uint8Array;
  readonly files: BackupFiles;
}

/** null: all is as it was backed up. */
export type Compared = null | { readonly code: string; readonly message: string };

const { databaseFolder, idKey, files } = workerData as ComparePart;
let compared: Compared = null;
const target = openRestoreTarget(databaseFolder);
try {
  compareWithFiles(target, idKey, files);
} catch (error) {
  const { code } = error as { code?: unknown };
  compared = { code: typeof code === 'string' ? code : 'internal', message: (error as Error).message };
} finally {
  await target.close();
}
parentPort!.postMessage(compared);
