import { TOOL_VERSION } from '../backup/service/configured.ts';
import { chooseBackup } from '../backup/repository/choose.ts';
import { megabytes } from '../backup/pipeline/progress.ts';
import { verifyAndRecord } from '../backup/verify/record.ts';
import type { VerifyLevel } from '../backup/verify/verify.ts';
import { systemClock } from '../platform/clock.ts';
import { openToRead, type BackupCommand } from './backup-context.ts';
import { commandProgress } from './command-progress.ts';
import { tellPassedOver } from './passed-over.ts';
import { EXIT } from './world.ts';

/** `backup verify`: exits 1 where something is damaged, with `latest` also where a newer backup is. With a signing key it leaves a signed record. */
export async function verifyOneBackup(command: BackupCommand, backupId: string, level: VerifyLevel, percent: number): Promise<number> {
  const { backup, json, world } = command;
  const repository = await openToRead(command);
  const { manifest, passedOver } = await chooseBackup(repository, backup.cluster.id, backupId, world.signal);
  const isDamaged = tellPassedOver(world, passedOver);
  const printer = commandProgress(world);
  const options = { repository, manifest, level, percent, workers: backup.workers, random: Math.random, onProgress: printer.show };
  const record = await verifyAndRecord({ ...options, clock: systemClock, toolVersion: TOOL_VERSION }, world.signal).finally(printer.end);
  if (json) world.out(`${JSON.stringify({ ...record, passedOverBackups: passedOver })}\n`);
  else {
    for (const problem of record.problems) world.out(`! ${problem}\n`);
    const share = `${megabytes(record.readBytes)} MB read (${(record.readPermille / 10).toFixed(1)} % of the files)`;
    const read = record.level < 2 ? '' : `, ${share}`;
    world.out(
      `backup ${manifest.backupId}: ${record.ok ? 'sound' : 'DAMAGED'} at level ${record.level}${read}, in ${(record.elapsedMs / 1000).toFixed(1)} s\n`,
    );
  }
  return record.ok && !isDamaged ? EXIT.ok : EXIT.failed;
}
