import { listStreams } from '../backup/log/segments.ts';
import { listBackups, type BackupEntry } from '../backup/repository/catalog.ts';
import { refusedAfter } from '../backup/repository/choose.ts';
import { megabytes } from '../backup/pipeline/progress.ts';
import { EngineError } from '../platform/errors.ts';
import { openToRead, type BackupCommand } from './backup-context.ts';
import { tellPassedOver } from './passed-over.ts';
import { EXIT } from './world.ts';

/** `backup list`: exits 1 where one of them is not to be trusted. */
export async function listAllBackups(command: BackupCommand): Promise<number> {
  const { backup, json, world } = command;
  const repository = await openToRead(command);
  const entries = await listBackups(repository, backup.cluster.id, world.signal);
  if (json) world.out(`${JSON.stringify(entries.map(row))}\n`);
  else if (entries.length === 0) world.out(`no backup of ${backup.cluster.id} yet\n`);
  else for (const entry of entries) world.out(`${line(entry)}\n`);
  if (!json && (await listStreams(repository, backup.cluster.id, world.signal)).length > 0)
    world.out('there is a log: `coditect-dr backup log` reads it, and tells the times that can be restored to\n');
  return entries.every(({ problem }) => problem === null) ? EXIT.ok : EXIT.failed;
}

/** `backup show`: the whole manifest. */
export async function showBackup(command: BackupCommand, backupId: string): Promise<number> {
  const { backup, world } = command;
  const repository = await openToRead(command);
  const entries = await listBackups(repository, backup.cluster.id, world.signal);
  const entry =
    backupId === 'latest'
      ? (entries.findLast(({ problem }) => problem === null) ?? entries.at(-1))
      : entries.find((candidate) => candidate.backupId === backupId);
  if (entry === undefined) throw new EngineError('bad-request', `there is no backup ${backupId}; see \`coditect-dr backup list\``);
  if (backupId === 'latest') tellPassedOver(world, await refusedAfter(repository, entries, entry.backupId, world.signal));
  world.out(`${JSON.stringify({ problem: entry.problem, manifest: entry.manifest }, null, command.json ? 0 : 2)}\n`);
  return entry.problem === null ? EXIT.ok : EXIT.failed;
}

function row({ backupId, manifest, problem }: BackupEntry): Readonly<Record<string, unknown>> {
  return {
    backupId,
    problem,
    kind: manifest?.kind ?? null,
    created: manifest?.created ?? null,
    version: manifest?.readVersion ?? null,
    records: manifest?.totals.records ?? null,
    plainBytes: manifest?.totals.plainBytes ?? null,
    storedBytes: manifest?.totals.storedBytes ?? null,
    root: manifest?.ranges[0]?.root ?? null,
  };
}

function line({ backupId, manifest, problem }: BackupEntry): string {
  if (manifest === null) return `${backupId}  ! ${problem}`;
  const { kind, created, readVersion, totals } = manifest;
  const what = `${kind.padEnd(11)}  version ${readVersion}  ${totals.records} records  ${megabytes(totals.plainBytes)} MB`;
  return `${backupId}  ${created}  ${what}${problem === null ? '' : `  ! ${problem}`}`;
}
