import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';

/** A standby that is further behind than this is resynchronised by a copy; the log on the disk stays this short. */
const KEEP_ENTRIES = 50_000;
const STEP_ENTRIES = 5_000;
const PERIOD_MS = 1_000;

/** Drops the beginning of the log as it grows, in small steps so that no write waits long for one. */
export async function keepLogShort(database: Database, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    const { baseIndex, commitIndex } = database.state();
    if (!signal.aborted && commitIndex - baseIndex > KEEP_ENTRIES + STEP_ENTRIES) await database.trim(baseIndex + STEP_ENTRIES);
  }
}
