import type { Clock } from '../../platform/clock.ts';
import { describeError, type Log } from '../../telemetry/log.ts';
import type { Created, WriterLease } from '../pipeline/create.ts';
import type { BackupState } from './backup-state.ts';
import type { WriterOutcome } from './configured.ts';
import { nextDueMs, type Timetable } from './schedule.ts';

/** What the service does the work with. */
export interface ServiceParts {
  readonly timetable: Timetable;
  /** When the newest backup to be trusted was made; null: there is none. */
  readonly newestAtMs: (signal: AbortSignal) => Promise<number | null>;
  readonly whileWriter: <T>(
    work: (lease: WriterLease, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ) => Promise<WriterOutcome<T>>;
  readonly create: (lease: WriterLease, signal: AbortSignal) => Promise<Created>;
  readonly state: Pick<BackupState, 'completed' | 'failed'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Between two looks at who may write, or at whether another has made the backup meanwhile. */
const MAX_LOOK_MS = 60_000;

/**
 * Makes a backup whenever one is due, until the signal aborts. Each region may run one: who gets the right to write makes the backup, the others see it and
 * wait for the next. Failures are told and tried again; only an abort ends it.
 */
export async function runService(parts: ServiceParts, signal: AbortSignal): Promise<void> {
  const { clock, log } = parts;
  let failures = 0;
  let lastFailureAtMs: number | null = null;
  let random = parts.random();
  while (!signal.aborted) {
    try {
      const newestAtMs = await parts.newestAtMs(signal);
      const waitMs = nextDueMs(parts.timetable, { newestAtMs, failures, lastFailureAtMs }, random) - clock.wall().getTime();
      if (waitMs > 0) {
        await clock.sleep(Math.min(waitMs, MAX_LOOK_MS, parts.timetable.intervalMs), signal);
        continue;
      }
      const outcome = await parts.whileWriter((lease, either) => once(parts, newestAtMs, lease, either), signal);
      if (outcome.kind === 'done') {
        failures = 0;
        random = parts.random();
        // Whatever was made, or not: there is never a turn without a pause.
        await clock.sleep(Math.min(parts.timetable.retryMs, parts.timetable.intervalMs), signal);
      } else {
        log.info('backup_not_leader', outcome.kind === 'busy' ? { holder: outcome.holder } : { reason: 'the arbiter did not answer' });
        await clock.sleep(Math.min(MAX_LOOK_MS, parts.timetable.retryMs), signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      parts.state.failed();
      lastFailureAtMs = clock.wall().getTime();
      log.error('backup_failed', { error: describeError(error), failures });
      await clock.sleep(Math.min(parts.timetable.retryMs, parts.timetable.intervalMs), signal).catch(() => undefined);
    }
  }
}

async function once(parts: ServiceParts, seenAtMs: number | null, lease: WriterLease, signal: AbortSignal): Promise<void> {
  const { log } = parts;
  // Until it had the right, another may have made the backup that was due.
  const newestAtMs = await parts.newestAtMs(signal);
  if (newestAtMs !== seenAtMs) return;
  log.info('backup_started', { lease_epoch: lease.epoch });
  const { manifest, scannedBytes, uploadedBytes, elapsedMs } = await parts.create(lease, signal);
  const { backupId, kind, readVersion, totals } = manifest;
  parts.state.completed(totals.plainBytes, uploadedBytes, elapsedMs);
  log.info('backup_complete', { backup_id: backupId, kind, version: Number(readVersion), root: manifest.ranges[0]?.root });
  log.info('backup_metrics', {
    backup_id: backupId,
    duration_ms: Math.round(elapsedMs),
    size_bytes: totals.plainBytes,
    stored_bytes: totals.storedBytes,
    scanned_bytes: scannedBytes,
    uploaded_bytes: uploadedBytes,
    megabytes_per_second: Math.round(totals.plainBytes / 1000 / Math.max(1, elapsedMs)),
  });
}
