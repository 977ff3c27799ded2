import { openConfiguredRepository, TOOL_VERSION } from '../backup/service/configured.ts';
import { findBackup } from '../backup/repository/catalog.ts';
import { putRecord, timePart } from '../backup/repository/records.ts';
import { megabytes, progressPrinter } from '../backup/pipeline/progress.ts';
import { verifyBackup, type VerifyLevel } from '../backup/verify/verify.ts';
import { systemClock } from '../platform/clock.ts';
import type { BackupCommand } from './backup-context.ts';
import { EXIT } from './world.ts';

/** `backup verify`: exits 1 where something is damaged. With a signing key it leaves a signed record. */
export async function verifyOneBackup(command: BackupCommand, backupId: string, level: VerifyLevel, percent: number): Promise<number> {
  const { backup, json, world } = command;
  const repository = await openConfiguredRepository(command, command.world.signal);
  const manifest = await findBackup(repository, backup.cluster.id, backupId, world.signal);
  const printer = progressPrinter(world.err, process.stderr.isTTY === true, () => systemClock.monotonicMs());
  const startMs = systemClock.monotonicMs();
  const result = await verifyBackup(
    { repository, manifest, level, percent, workers: backup.workers, random: Math.random, onProgress: printer.show },
    world.signal,
  ).finally(printer.end);
  const elapsedMs = Math.round(systemClock.monotonicMs() - startMs);
  const at = systemClock.wall();
  const document = {
    backupId: manifest.backupId,
    level: result.level,
    ok: result.problems.length === 0,
    problems: [...result.problems],
    readBytes: result.readBytes,
    readPermille: Math.floor(result.readShare * 1000),
    elapsedMs,
    at: at.toISOString(),
    root: manifest.ranges[0]?.root ?? '',
    tool: { name: 'coditect-dr', version: TOOL_VERSION },
  };
  if (repository.signingKey !== null)
    await putRecord(repository, `verify/${manifest.backupId}/${timePart(at)}-${result.level}.json`, document, world.signal);
  if (json) world.out(`${JSON.stringify(document)}\n`);
  else {
    for (const problem of result.problems) world.out(`! ${problem}\n`);
    const read = result.level < 2 ? '' : `, ${megabytes(result.readBytes)} MB read (${(result.readShare * 100).toFixed(1)} % of the files)`;
    world.out(
      `backup ${manifest.backupId}: ${document.ok ? 'sound' : 'DAMAGED'} at level ${result.level}${read}, in ${(elapsedMs / 1000).toFixed(1)} s\n`,
    );
  }
  return document.ok ? EXIT.ok : EXIT.failed;
}
