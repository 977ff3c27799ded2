import { listBackups } from '../backup/repository/catalog.ts';
import { refusedAfter } from '../backup/repository/choose.ts';
import { putHold } from '../backup/retention/holds.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { openToRead, type BackupCommand } from './backup-context.ts';
import { tellPassedOver } from './passed-over.ts';
import { EXIT } from './world.ts';

export interface HoldFlags {
  readonly release: boolean;
  readonly by: string;
  readonly why: string;
}

/** `backup hold`: keeps a backup whatever its age, until it is released. Nobody is asked for the right to write: nothing is deleted. */
export async function holdBackup(command: BackupCommand, backupId: string, { release, by, why }: HoldFlags): Promise<number> {
  const { backup, json, world } = command;
  const repository = await openToRead(command);
  const entries = await listBackups(repository, backup.cluster.id, world.signal);
  // One that does not open can be held, too: somebody may want to look into it.
  const entry =
    backupId === 'latest' ? entries.findLast(({ problem }) => problem === null) : entries.find((each) => each.backupId === backupId);
  if (entry === undefined) throw new EngineError('bad-request', `there is no backup ${backupId}; see \`coditect-dr backup list\``);
  if (backupId === 'latest') tellPassedOver(world, await refusedAfter(repository, entries, entry.backupId, world.signal));
  await putHold(repository, { backupId: entry.backupId, held: !release, by, why, at: systemClock.wall() }, world.signal);
  if (json) world.out(`${JSON.stringify({ backupId: entry.backupId, held: !release })}\n`);
  else world.out(release ? `released ${entry.backupId}: it goes with its time\n` : `holding ${entry.backupId}: prune leaves it\n`);
  return EXIT.ok;
}
