import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { LogEnd } from '../replication/epochs.ts';

/** In the data folder of a database that was restored. */
export const RESTORED_FILE = 'restored.json';
const shape = z.looseObject({ end: z.object({ epoch: z.number().int(), index: z.number().int() }) });

/**
 * Where a restore ended, if the data folder was restored. While the log ends just there, a database may begin anew with an arbiter that knows nothing: everything
 * was lost, and an operator chose this copy. With the first entry that is over by itself.
 */
export function restoredEnd(dataFolder: string): LogEnd | null {
  try {
    return shape.parse(JSON.parse(readFileSync(join(dataFolder, RESTORED_FILE), 'utf8'))).end;
  } catch {
    return null;
  }
}
