import { describeLog, type LogWindow } from '../backup/log/describe-log.ts';
import { openToRead, type BackupCommand } from './backup-context.ts';
import { EXIT } from './world.ts';

/** `backup log`: where the log leads to; exits 1 where a part of it is damaged. */
export async function describeBackupLog(command: BackupCommand): Promise<number> {
  const { backup, json, world } = command;
  const described = await describeLog(await openToRead(command), backup.cluster.id, world.signal);
  const { windows, problems, destroyed } = described;
  if (json) world.out(`${JSON.stringify(described)}\n`);
  else {
    for (const problem of problems) world.out(`! ${problem}\n`);
    for (const stream of destroyed) world.out(`stream ${stream}: its epoch key was destroyed\n`);
    for (const window of windows) world.out(`${line(window)}\n`);
    if (windows.length === 0) world.out(`no log leads on from a backup of ${backup.cluster.id}\n`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

function line({ stream, backupId, from, to }: LogWindow): string {
  return `${from.time} to ${to.time}  versions ${from.version} to ${to.version}  backup ${backupId} and stream ${stream}`;
}
