import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { duration, megabytes } from '../backup/pipeline/progress.ts';
import { chooseBackup } from '../backup/repository/choose.ts';
import type { Pruned } from '../backup/retention/prune.ts';
import { dataFolder, pruneConfigured, TOOL_VERSION, whileWriter } from '../backup/service/configured.ts';
import { drillAndRecord, type DrillRecord } from '../backup/verify/drill.ts';
import { systemClock } from '../platform/clock.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { openToRead, openToWrite, type BackupCommand } from './backup-context.ts';
import { commandProgress } from './command-progress.ts';
import { tellPassedOver } from './passed-over.ts';
import { EXIT } from './world.ts';

/** `backup drill`: restores into a new folder that no program uses, compares, measures, signs what it found, and removes the folder. Exits 1 where that failed, with `latest` also where a newer backup is damaged. */
export async function drillBackup(command: BackupCommand, backupId: string): Promise<number> {
  const { backup, loaded, json, world } = command;
  const repository = await openToRead(command);
  const { manifest, passedOver } = await chooseBackup(repository, backup.cluster.id, backupId, world.signal);
  const isDamaged = tellPassedOver(world, passedOver);
  const beside = dirname(dataFolder(loaded));
  makeFolder(beside, 'data.path');
  const folder = mkdtempSync(join(beside, 'drill-'));
  const printer = commandProgress(world);
  const rtoMs = loaded.config.rto_seconds * 1000;
  const options = { repository, manifest, folder, workers: backup.workers, rtoMs, region: loaded.config.region, toolVersion: TOOL_VERSION };
  let record: DrillRecord;
  try {
    record = await drillAndRecord({ ...options, clock: systemClock, onProgress: printer.show }, world.signal);
  } catch (error) {
    if (!world.signal.aborted) throw error;
    world.err('interrupted: the drill proves nothing; what it had restored is removed\n');
    return EXIT.interrupted;
  } finally {
    printer.end();
    rmSync(folder, { recursive: true, force: true });
  }
  const { ok, problems, records, elapsedMs, withinRto } = record;
  if (json) world.out(`${JSON.stringify({ ...record, passedOverBackups: passedOver })}\n`);
  else if (ok)
    world.out(
      `drill of ${manifest.backupId}: ${records} records, ${megabytes(manifest.totals.plainBytes)} MB restored and compared both ways in ${duration(elapsedMs)}` +
        ` (objective ${duration(rtoMs)}: ${withinRto ? 'kept' : 'MISSED'})\n`,
    );
  else world.out(`drill of ${manifest.backupId} FAILED: ${problems.join('; ')}\n`);
  return ok && !isDamaged ? EXIT.ok : EXIT.failed;
}

/** `backup prune`: tells what would be deleted; `--confirm` does it. Exits 1 where it refuses. */
export async function pruneBackups(
  command: BackupCommand,
  { confirm, noLease }: { readonly confirm: boolean; readonly noLease: boolean },
): Promise<number> {
  const { json, world } = command;
  const repository = await openToWrite(command);
  const run = async (check: () => Promise<void>, signal: AbortSignal): Promise<Pruned> =>
    await pruneConfigured(command, { repository, confirm, check }, signal);
  const outcome =
    !confirm || noLease
      ? { kind: 'done' as const, value: await run(() => Promise.resolve(), world.signal) }
      : await whileWriter(command, (lease, signal) => run(() => lease.check(), signal), world.signal);
  if (outcome.kind !== 'done') {
    world.err(outcome.kind === 'busy' ? `${outcome.holder} is writing backups; never two at once\n` : 'the arbiter did not answer\n');
    return EXIT.undecided;
  }
  world.out(json ? `${JSON.stringify({ confirmed: confirm, ...outcome.value })}\n` : pruneText(outcome.value, confirm));
  return outcome.value.plan.refused === null ? EXIT.ok : EXIT.failed;
}

function pruneText(pruned: Pruned, confirm: boolean): string {
  const { plan, markedBackups, deletedBackups, markedObjects, deletedObjects, deletedBytes, deletedRecords, window } = pruned;
  const did = (past: string, future: string): string => (confirm ? past : future);
  return [
    ...(plan.refused === null ? [] : [`REFUSED: ${plan.refused}`]),
    ...plan.keep.map(({ backupId, why }) => `keep    ${backupId}  ${why}`),
    ...markedBackups.map((id) => `${did('marked ', 'mark   ')} ${id}  deleted after the grace`),
    ...deletedBackups.map((id) => `${did('deleted', 'delete ')} ${id}`),
    ...(deletedRecords === 0
      ? []
      : [`${deletedRecords} records of verifications that tell nothing any more ${did('deleted', 'to delete')}`]),
    ...pruned.damagedLog.map((name) => `! keep  ${name}  damaged: up to where it leads nobody can tell`),
    ...pruned.unclearLog.map((stream) => `! keep  ${stream}`),
    `objects: ${markedObjects} ${did('marked', 'to mark')}, ${deletedObjects} ${did('deleted', 'to delete')} (${megabytes(deletedBytes)} MB)`,
    `restorable afterwards: ${window.from === null ? 'nothing' : `from ${window.from} to ${window.to}, and on as far as the log reaches`}`,
    ...(confirm ? [] : ['nothing was changed: --confirm does it']),
    '',
  ].join('\n');
}
