import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import type { Manifest } from '../format/manifest.ts';
import { putRecord, timePart } from '../repository/records.ts';
import type { Repository } from '../repository/repository.ts';
import { restoreBackup, type RestoreOptions } from '../restore/restore.ts';
import { isDamage } from './damage.ts';

export interface DrillOptions extends Pick<RestoreOptions, 'workers' | 'onProgress'> {
  readonly repository: Repository;
  readonly manifest: Manifest;
  /** Empty; the owner removes it, whatever happened. */
  readonly folder: string;
  readonly rtoMs: number;
  readonly region: string;
  readonly toolVersion: string;
  readonly clock: Clock;
}

/** What a drill found, as it is signed. */
export type DrillRecord = Awaited<ReturnType<typeof drillAndRecord>>;

/**
 * Restores a backup where no program uses it, compares, measures, and leaves what was found as `verify/<backupId>/<time>-4.json`, where this program can sign. Only what proves that the backup does not give what was
 * backed up is recorded as damage: a store that cannot be reached, a disk that is full, an abort say nothing of the backup, and are thrown.
 */
export async function drillAndRecord(options: DrillOptions, signal: AbortSignal) {
  const { repository, manifest, folder, clock } = options;
  const startMs = clock.monotonicMs();
  const problems: string[] = [];
  let records = 0;
  try {
    records = (await restoreBackup({ ...options, databaseFolder: join(folder, 'db'), prefix: null, log: null }, signal)).records;
  } catch (error) {
    if (signal.aborted || !isDamage(error)) throw error;
    problems.push((error as Error).message);
  }
  const elapsedMs = Math.round(clock.monotonicMs() - startMs);
  const at = clock.wall();
  const ok = problems.length === 0;
  const record = {
    backupId: manifest.backupId,
    level: 4,
    ok,
    problems,
    records,
    plainBytes: manifest.totals.plainBytes,
    elapsedMs,
    rtoMs: Math.round(options.rtoMs),
    withinRto: ok && elapsedMs <= options.rtoMs,
    at: at.toISOString(),
    root: manifest.ranges[0]?.root ?? '',
    region: options.region,
    tool: { name: 'coditect-dr', version: options.toolVersion },
  };
  if (repository.signingKey !== null) await putRecord(repository, `verify/${record.backupId}/${timePart(at)}-4.json`, record, signal);
  return record;
}
