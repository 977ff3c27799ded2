import { openRemoteTarget, type RemoteContext } from '../adapters.ts';
import { databaseFolder } from '../backup/service/configured.ts';
import { dirname } from 'node:path';
import { chooseBackup, type PassedOverBackup } from '../backup/repository/choose.ts';
import { planPointInTime, type PointInTime } from '../backup/log/point-in-time.ts';
import type { Manifest } from '../backup/format/manifest.ts';
import { highestEpoch } from '../backup/log/highest-epoch.ts';
import type { Repository } from '../backup/repository/repository.ts';
import { duration, megabytes } from '../backup/pipeline/progress.ts';
import type { PrefixChange } from '../backup/restore/prefix.ts';
import { restoreRemote } from '../backup/restore/restore-remote.ts';
import type { LogToApply } from '../backup/log/log-to-apply.ts';
import { restoreBackup, type Restored } from '../backup/restore/restore.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { lockFolder } from '../server/folder-lock.ts';
import { writeRestored } from '../server/restored.ts';
import { openToRead, type BackupCommand } from './backup-context.ts';
import { commandProgress } from './command-progress.ts';
import { tellPassedOver } from './passed-over.ts';
import { restoredPoint, restoredPointText, type RestoredPoint } from './restored-point.ts';
import { EXIT } from './world.ts';

export interface RestoreFlags {
  readonly backupId: string;
  /** The region, typed by who asks, so that a restore never goes where somebody did not mean it to. */
  readonly into: string;
  readonly prefix: PrefixChange | null;
  /** null: the backup as it is. */
  readonly point: PointInTime | null;
}

/** `backup restore`: into this machine's database, which must be stopped and empty. */
export async function restoreOneBackup(command: BackupCommand, flags: RestoreFlags): Promise<number> {
  const { backup, loaded, json, world } = command;
  if (flags.into !== loaded.config.region)
    throw new EngineError(
      'bad-request',
      `--into ${flags.into}: this configuration is of region ${loaded.config.region}; type the region whose database is to be filled`,
    );
  const repository = await openToRead(command);
  const { manifest, log, point, passedOverBackups } = await planned(repository, backup.cluster.id, flags, world.signal);
  tellPassedOver(world, passedOverBackups);
  const { database } = loaded.config;
  if (database.kind !== 'embedded')
    return await restoreOneRemote(command, flags, { database, repository, manifest, log, point, passedOverBackups });
  const folder = databaseFolder(loaded);
  const dataFolder = dirname(folder);
  makeFolder(dataFolder, 'data.path');
  const lock = await lockFolder(dataFolder);
  // Meanwhile: there may be many segments of the log to list.
  const epochs = highestEpoch(repository, backup.cluster.id, world.signal);
  epochs.catch(() => undefined);
  const printer = commandProgress(world);
  try {
    const restored = await restoreBackup(
      {
        repository,
        manifest,
        databaseFolder: folder,
        workers: backup.workers,
        prefix: flags.prefix,
        highestEpoch: () => epochs,
        log,
        clock: systemClock,
        // Before: a crash in between must not leave a database that can neither start nor be restored again.
        beforeLive: async (end) => writeRestored(dataFolder, manifest.backupId, { ...end, highestEpoch: await epochs }),
        onProgress: printer.show,
      },
      world.signal,
    );
    printer.end();
    world.out(
      json
        ? `${JSON.stringify({ backupId: manifest.backupId, ...restored, passedOverBackups, ...point, elapsedMs: Math.round(restored.elapsedMs) })}\n`
        : `${text(manifest.backupId, restored, flags.prefix)}${point === null ? '' : restoredPointText(point, passedOverBackups)}`,
    );
    return EXIT.ok;
  } catch (error) {
    printer.end();
    if (!world.signal.aborted) throw error;
    world.err('interrupted: the database is still empty; the same command goes on where this one was\n');
    return EXIT.interrupted;
  } finally {
    await lock.release();
  }
}

interface RemoteRestore extends Planned {
  readonly database: RemoteContext['database'];
  readonly repository: Repository;
}

/** Into FoundationDB: a backup of FoundationDB or of an embedded database, as it is or with its log. */
async function restoreOneRemote(
  { backup, loaded, json, world }: BackupCommand,
  { prefix }: RestoreFlags,
  { database, repository, manifest, log, point, passedOverBackups }: RemoteRestore,
): Promise<number> {
  if (prefix !== null) throw new EngineError('bad-request', 'a whole backup is restored into FoundationDB: leave --prefix away');
  const lock = { cluster: backup.cluster.id, epoch: Number(manifest.generation) };
  const target = await openRemoteTarget({ database, folder: loaded.folder, lock, note: (text) => world.err(`${text}\n`) });
  const printer = commandProgress(world);
  try {
    const epochs = async (): Promise<number> => await highestEpoch(repository, backup.cluster.id, world.signal);
    const options = {
      repository,
      manifest,
      target,
      log,
      workers: backup.workers,
      highestEpoch: epochs,
      clock: systemClock,
      onProgress: printer.show,
    };
    const restored = await restoreRemote(options, world.signal);
    printer.end();
    const said = { backupId: manifest.backupId, ...restored, passedOverBackups, ...point, elapsedMs: Math.round(restored.elapsedMs) };
    const reached = point === null ? '' : restoredPointText(point, passedOverBackups);
    world.out(json ? `${JSON.stringify(said)}\n` : `${text(manifest.backupId, restored, null)}${reached}`);
    return EXIT.ok;
  } catch (error) {
    printer.end();
    // Whatever ended it: a locked cluster is an outage, of other systems too.
    const left = await target.left();
    if (left !== null) world.err(`${left}\n`);
    if (!world.signal.aborted) throw error;
    world.err(left === null ? 'interrupted: nothing was locked or changed\n' : 'interrupted\n');
    return EXIT.interrupted;
  } finally {
    target.close();
  }
}

interface Planned {
  readonly manifest: Manifest;
  readonly log: LogToApply | null;
  readonly point: RestoredPoint | null;
  readonly passedOverBackups: readonly PassedOverBackup[];
}

async function planned(
  repository: Repository,
  cluster: string,
  { backupId, point, prefix }: RestoreFlags,
  signal: AbortSignal,
): Promise<Planned> {
  if (point === null) {
    const { manifest, passedOver } = await chooseBackup(repository, cluster, backupId, signal);
    return { manifest, log: null, point: null, passedOverBackups: passedOver };
  }
  if (backupId !== 'latest') throw new EngineError('bad-request', 'a point in time chooses the backup itself: say `latest`');
  if (prefix !== null) throw new EngineError('bad-request', 'a point in time restores everything: leave --prefix away');
  const plan = await planPointInTime(repository, cluster, point, signal, systemClock.wall().getTime());
  return { manifest: plan.manifest, log: plan.log, point: restoredPoint(point, plan), passedOverBackups: plan.passedOverBackups };
}

function text(backupId: string, { records, bytes, end, checked, elapsedMs }: Restored, prefix: PrefixChange | null): string {
  if (prefix !== null && records === 0)
    return `restored nothing of ${backupId}: 0 records, as no key in it begins with ${JSON.stringify(prefix.from)}\n`;
  const rate = (bytes / 1000 / Math.max(1, elapsedMs)).toFixed(1);
  return [
    `restored ${backupId} at version ${end.index}: ${records} records, ${megabytes(bytes)} MB in ${duration(elapsedMs)} (${rate} MB/s)`,
    `compared both ways (${checked === 'root' ? "the backup's root" : 'the sum of all records'}): nothing missing, nothing extra`,
    '',
  ].join('\n');
}
