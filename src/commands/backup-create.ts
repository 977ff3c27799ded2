import { createConfigured, whileWriter } from '../backup/service/configured.ts';
import { makeMissingKeys, openAccess } from '../backup/repository/access.ts';
import { initRepository } from '../backup/repository/repository.ts';
import type { Created, WriterLease } from '../backup/pipeline/create.ts';
import { megabytes } from '../backup/pipeline/progress.ts';
import { highestLeaseEpoch, listBackups } from '../backup/repository/catalog.ts';
import { systemClock } from '../platform/clock.ts';
import { openToWrite, type BackupCommand } from './backup-context.ts';
import { commandProgress } from './command-progress.ts';
import { EXIT } from './world.ts';

/** `backup init`: the repository, and key files that are configured and not there. */
export async function initBackups(command: BackupCommand): Promise<number> {
  const { loaded, backup, world, json } = command;
  const context = { backup, folder: loaded.folder, clock: systemClock };
  const made = await makeMissingKeys(context);
  // At once: they are there even if the store refuses.
  if (!json) for (const path of made) world.out(`made ${path}: keep a copy where the store is not; without it nothing can be restored\n`);
  const result = await initRepository(await openAccess(context), systemClock.wall(), world.signal);
  if (json) world.out(`${JSON.stringify({ repository: result, keyFiles: made })}\n`);
  else world.out(result === 'made' ? 'made the repository\n' : 'there is a repository already\n');
  return EXIT.ok;
}

export interface CreateFlags {
  readonly fullScan: boolean;
  /** Without asking the arbiter: for when it is gone. */
  readonly noLease: boolean;
  /** Lock everybody out of the database until it is read. */
  readonly locks: boolean;
}

/** `backup create`: one backup of this machine's database. */
export async function createOneBackup(command: BackupCommand, { fullScan, noLease, locks }: CreateFlags): Promise<number> {
  const { json, world } = command;
  const repository = await openToWrite(command);
  const printer = commandProgress(world);
  const run = async (lease: WriterLease, signal: AbortSignal): Promise<Created> =>
    await createConfigured(
      command,
      {
        repository,
        lease,
        fullScan,
        locks,
        log: null,
        onNote: (note) => world.err(`${note}\n`),
        onProgress: ({ phase, plainBytes, totalBytes }) => printer.show({ phase, doneBytes: plainBytes, totalBytes }),
      },
      signal,
    );
  try {
    const result = noLease
      ? { kind: 'done' as const, value: await run(await newestLease(command, repository), world.signal) }
      : await whileWriter(command, run, world.signal);
    printer.end();
    if (result.kind === 'done') {
      world.out(json ? `${JSON.stringify(summary(result.value))}\n` : text(result.value));
      return EXIT.ok;
    }
    world.err(
      result.kind === 'busy'
        ? `${result.holder} is writing backups; never two at once\n`
        : 'the arbiter did not say whether this program may write\n',
    );
    return EXIT.undecided;
  } catch (error) {
    printer.end();
    if (world.signal.aborted) {
      world.err('interrupted: there is no new backup; what was stored will be used by the next one\n');
      return EXIT.interrupted;
    }
    throw error;
  }
}

/** Of the newest backup: so that one made without the arbiter is neither quarantined nor quarantines others. */
async function newestLease(command: BackupCommand, repository: Parameters<typeof listBackups>[0]): Promise<WriterLease> {
  const entries = await listBackups(repository, command.backup.cluster.id, command.world.signal);
  return { epoch: highestLeaseEpoch(entries).toString(), holder: command.loaded.config.region, check: () => Promise.resolve() };
}

export function summary({ manifest, scannedBytes, uploadedBytes, adoptedPacks, elapsedMs }: Created): Readonly<Record<string, unknown>> {
  const { backupId, kind, readVersion, totals, ranges } = manifest;
  return {
    backupId,
    kind,
    readVersion,
    root: ranges[0]?.root ?? null,
    records: totals.records,
    plainBytes: totals.plainBytes,
    storedBytes: totals.storedBytes,
    scannedBytes,
    uploadedBytes,
    adoptedPacks,
    elapsedMs: Math.round(elapsedMs),
    megabytesPerSecond: Math.round(totals.plainBytes / 1000 / Math.max(1, elapsedMs)),
  };
}

function text(created: Created): string {
  const { manifest, scannedBytes, uploadedBytes, elapsedMs } = created;
  const { backupId, kind, readVersion, totals } = manifest;
  return [
    `backup ${backupId} (${kind}) at version ${readVersion}: ${totals.records} records, ${megabytes(totals.plainBytes)} MB`,
    `read ${megabytes(scannedBytes)} MB, stored ${megabytes(uploadedBytes)} MB, in ${(elapsedMs / 1000).toFixed(1)} s`,
    '',
  ].join('\n');
}
