import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../platform/errors.ts';
import { syncFolder } from '../platform/sync-folder.ts';
import type { LogEnd } from '../replication/epochs.ts';

/** In the data folder of a database that was restored. */
const RESTORED_FILE = 'restored.json';
const shape = z.looseObject({
  end: z.object({ epoch: z.number().int(), index: z.number().int() }),
  highestEpoch: z.number().int().default(0),
});

/** Where a restore ended. */
export interface RestoredEnd extends LogEnd {
  /** Of all that the repository held: a later history must be above it, or its log would be taken for that of the history that was left. */
  readonly highestEpoch: number;
}

/** Lets the database begin a new history where the arbiter has none: only with just this log. Durable when it returns, and written as a whole or not at all. */
export function writeRestored(dataFolder: string, backupId: string, { epoch, index, highestEpoch }: RestoredEnd): void {
  const path = join(dataFolder, RESTORED_FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify({ backupId, end: { epoch, index }, highestEpoch })}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  syncFolder(dataFolder);
}

/**
 * Where a restore ended, if the data folder was restored; null: it was not. While the log ends just there, a database may begin anew with an arbiter that knows nothing: everything
 * was lost, and an operator chose this copy. With the first entry that is over by itself.
 * @throws EngineError bad-config where the file is there and cannot be read
 */
export function restoredEnd(dataFolder: string): RestoredEnd | null {
  const path = join(dataFolder, RESTORED_FILE);
  try {
    const { end, highestEpoch } = shape.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { ...end, highestEpoch };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new EngineError('bad-config', `${path} cannot be read: mend it, or remove it if this database was not just restored`, error);
  }
}
