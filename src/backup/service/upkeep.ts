import { systemClock } from '../../platform/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { WriterLease } from '../pipeline/create.ts';
import { chooseBackup } from '../repository/choose.ts';
import { verifyAndRecord } from '../verify/record.ts';
import { openConfiguredRepository, pruneConfigured, TOOL_VERSION, type ConfiguredBackup } from './configured.ts';

/** So many problems are told in a line of the log; the signed record has them all. */
const MAX_TOLD = 10;

/**
 * Verifies the newest backup, and where that is sound and `backup.prune` says so, prunes. Both in one turn, under one right to write: no newer backup, which nobody has verified yet, comes between, beside
 * which prune rightly refuses to expire anything.
 */
export async function verifyAndPrune(configured: ConfiguredBackup, log: Log, lease: WriterLease, signal: AbortSignal): Promise<void> {
  const { backup } = configured;
  // Opened anew: the epoch key may have changed a moment ago.
  const repository = await openConfiguredRepository(configured, signal);
  const { manifest, passedOver } = await chooseBackup(repository, backup.cluster.id, 'latest', signal);
  for (const { backupId, problem, setAside } of passedOver)
    log[setAside ? 'warn' : 'error']('backup_passed_over', { backup_id: backupId, set_aside: setAside, problem });
  const { verify_level: level, verify_percent: percent, workers } = backup;
  log.info('backup_verification_started', { backup_id: manifest.backupId, level });
  const options = { repository, manifest, level, percent, workers, random: Math.random, onProgress: () => undefined };
  const { ok, problems, readBytes, elapsedMs } = await verifyAndRecord(
    { ...options, clock: systemClock, toolVersion: TOOL_VERSION },
    signal,
  );
  if (!ok) log.error('backup_damaged', { backup_id: manifest.backupId, level, problems: problems.slice(0, MAX_TOLD) });
  else log.info('backup_verified', { backup_id: manifest.backupId, level, read_bytes: readBytes, duration_ms: elapsedMs });
  if (!ok || !backup.prune) return;
  const { plan, ...done } = await pruneConfigured(configured, { repository, confirm: true, check: () => lease.check() }, signal);
  if (done.damagedLog.length > 0) log.error('backup_log_damaged', { objects: done.damagedLog.slice(0, MAX_TOLD) });
  if (done.unclearLog.length > 0) log.warn('backup_log_unclear', { streams: done.unclearLog.slice(0, MAX_TOLD) });
  if (plan.refused !== null) log.warn('backup_prune_refused', { reason: plan.refused });
  else
    log.info('backup_pruned', {
      marked: done.markedBackups,
      deleted: done.deletedBackups,
      marked_objects: done.markedObjects,
      deleted_objects: done.deletedObjects,
      deleted_bytes: done.deletedBytes,
      restorable_from: done.window.from,
    });
}
