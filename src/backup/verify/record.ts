import type { Clock } from '../../platform/clock.ts';
import { MAX_RECORD_BYTES, putRecord, timePart } from '../repository/records.ts';
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

/** Half of what a record may have. */
const MAX_PROBLEM_BYTES = MAX_RECORD_BYTES / 2;

/** Verifies a backup, and leaves what was found as `verify/<backupId>/<time>-<level>.json` (several, where it is much), where this program can sign. */
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
  if (repository.signingKey === null) return record;
  for (const [n, part] of partsOf(record.problems).entries()) {
    const time = new Date(at.getTime() + n);
    const name = `verify/${record.backupId}/${timePart(time)}-${level}.json`;
    await putRecord(repository, name, { ...record, problems: part, at: time.toISOString() }, signal);
  }
  return record;
}

/** As many problems as a record may hold, a record each: of a backup that lost most of its objects there are more. At least one, that may be empty. */
function partsOf(problems: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [[]];
  let bytes = 0;
  for (const problem of problems) {
    const problemBytes = Buffer.byteLength(JSON.stringify(problem)) + 1;
    if (bytes > 0 && bytes + problemBytes > MAX_PROBLEM_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(problem);
    bytes += problemBytes;
  }
  return parts;
}
