import type { Clock } from '../../platform/clock.ts';
import { putRecord, timePart } from '../repository/records.ts';
import { verifyBackup, type VerifyLevel, type VerifyOptions } from './verify.ts';

/** What a verification found, as it is signed. */
export interface VerificationRecord {
  readonly backupId: string;
  readonly level: VerifyLevel;
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly readBytes: number;
  readonly readPermille: number;
  readonly elapsedMs: number;
  readonly at: string;
  readonly root: string;
  readonly tool: { readonly name: string; readonly version: string };
}

/** Verifies a backup, and leaves what was found as `verify/<backupId>/<time>-<level>.json`, where this program can sign. */
export async function verifyAndRecord(
  { clock, toolVersion, ...options }: VerifyOptions & { readonly clock: Clock; readonly toolVersion: string },
  signal: AbortSignal,
): Promise<VerificationRecord> {
  const { repository, manifest } = options;
  const startMs = clock.monotonicMs();
  const { level, problems, readBytes, readShare } = await verifyBackup(options, signal);
  const at = clock.wall();
  const record = {
    backupId: manifest.backupId,
    level,
    ok: problems.length === 0,
    problems: [...problems],
    readBytes,
    readPermille: Math.floor(readShare * 1000),
    elapsedMs: Math.round(clock.monotonicMs() - startMs),
    at: at.toISOString(),
    root: manifest.ranges[0]?.root ?? '',
    tool: { name: 'coditect-dr', version: toolVersion },
  };
  if (repository.signingKey !== null)
    await putRecord(repository, `verify/${record.backupId}/${timePart(at)}-${level}.json`, record, signal);
  return record;
}
