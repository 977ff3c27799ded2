import { openConfiguredRepository, TOOL_VERSION } from '../backup/service/configured.ts';
import { findBackup } from '../backup/repository/catalog.ts';
import { megabytes, progressPrinter } from '../backup/pipeline/progress.ts';
import { verifyAndRecord } from '../backup/verify/record.ts';
import type { VerifyLevel } from '../backup/verify/verify.ts';
import { systemClock } from '../platform/clock.ts';
import type { BackupCommand } from './backup-context.ts';
import { EXIT } from './world.ts';

/** `backup verify`: exits 1 where something is damaged. With a signing key it leaves a signed record. */
export async function verifyOneBackup(command: BackupCommand, backupId: string, level: VerifyLevel, percent: number): Promise<number> {
  const { backup, json, world } = command;
  const repository = await openConfiguredRepository(command, command.world.signal);
  const manifest = await findBackup(repository, backup.cluster.id, backupId, world.signal);
  const printer = progressPrinter(world.err, process.stderr.isTTY === true, () => systemClock.monotonicMs());
  const options = { repository, manifest, level, percent, workers: backup.workers, random: Math.random, onProgress: printer.show };
  const record = await verifyAndRecord({ ...options, clock: systemClock, toolVersion: TOOL_VERSION }, world.signal).finally(printer.end);
  if (json) world.out(`${JSON.stringify(record)}\n`);
  else {
    for (const problem of record.problems) world.out(`! ${problem}\n`);
    const share = `${megabytes(record.readBytes)} MB read (${(record.readPermille / 10).toFixed(1)} % of the files)`;
    const read = record.level < 2 ? '' : `, ${share}`;
    world.out(
      `backup ${manifest.backupId}: ${record.ok ? 'sound' : 'DAMAGED'} at level ${record.level}${read}, in ${(record.elapsedMs / 1000).toFixed(1)} s\n`,
    );
  }
  return record.ok ? EXIT.ok : EXIT.failed;
}
