import type { Policy } from '../config/policy.ts';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';

const PERIOD_MS = 1_000;

/** Drops the beginning of the log as it grows, in small steps so that no write waits long for one. */
export async function keepLogShort(database: Database, policy: Policy, clock: Clock, signal: AbortSignal): Promise<void> {
  const { logKeepEntries, logTrimEntries } = policy;
  while (!signal.aborted) {
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    const { baseIndex, commitIndex } = database.state();
    if (!signal.aborted && commitIndex - baseIndex > logKeepEntries + logTrimEntries) await database.trim(baseIndex + logTrimEntries);
  }
}
