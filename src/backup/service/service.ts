import type { Clock } from '../../platform/clock.ts';
import { isEngineError } from '../../platform/errors.ts';
import { describeError, type Log } from '../../telemetry/log.ts';
import type { Created, WriterLease } from '../pipeline/create.ts';
import type { BackupState } from './backup-state.ts';
import type { WriterOutcome } from './configured.ts';
import { nextWork, NOT_TRIED, type StoreView, type Timetable, type Tries, type Work } from './schedule.ts';

/** What the service does the work with. */
export interface ServiceParts {
  readonly timetable: Timetable;
  readonly look: (signal: AbortSignal) => Promise<StoreView>;
  readonly whileWriter: <T>(
    work: (lease: WriterLease, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ) => Promise<WriterOutcome<T>>;
  readonly create: (lease: WriterLease, signal: AbortSignal) => Promise<Created>;
  /** Of the newest backup, and what follows from it. */
  readonly verify: (lease: WriterLease, signal: AbortSignal) => Promise<void>;
  readonly state: Pick<BackupState, 'completed' | 'failed'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Between two looks at who may write, or at whether another has done the work meanwhile. */
const MAX_LOOK_MS = 60_000;
const FAILED: Readonly<Record<Work, string>> = { backup: 'backup_failed', verification: 'backup_verification_failed' };

/**
 * Makes a backup whenever one is due, and verifies the newest whenever that is, until the signal aborts. Each region may run one: who gets the right to write does the work, the others see it and
 * wait for the next; so nothing is ever done twice at once. Failures are told and tried again; only an abort ends it.
 */
export async function runService(parts: ServiceParts, signal: AbortSignal): Promise<void> {
  const { clock, log, timetable } = parts;
  const tries: Record<Work, Tries> = { backup: NOT_TRIED, verification: NOT_TRIED };
  let random = parts.random();
  const next = async (either: AbortSignal): Promise<ReturnType<typeof nextWork>> =>
    nextWork(timetable, { view: await parts.look(either), tries, random, nowMs: clock.wall().getTime() });
  while (!signal.aborted) {
    let work: Work = 'backup'; // what a store that cannot be looked at keeps from being done
    try {
      const due = await next(signal);
      work = due.work;
      const waitMs = due.atMs - clock.wall().getTime();
      if (waitMs > 0) {
        await clock.sleep(Math.min(waitMs, MAX_LOOK_MS, timetable.intervalMs), signal);
        continue;
      }
      const outcome = await parts.whileWriter(async (lease, either) => {
        // Until it had the right, another may have done what was due.
        const still = await next(either);
        if (still.work !== work || still.atMs > clock.wall().getTime()) return false;
        await once(parts, work, lease, either);
        return true;
      }, signal);
      if (outcome.kind === 'done') {
        if (outcome.value) tries[work] = NOT_TRIED;
        random = parts.random();
        // Whatever was done, or not: there is never a turn without a pause.
        await clock.sleep(Math.min(timetable.retryMs, timetable.intervalMs), signal);
      } else {
        log.info('backup_not_leader', outcome.kind === 'busy' ? { holder: outcome.holder } : { reason: 'the arbiter did not answer' });
        await clock.sleep(Math.min(MAX_LOOK_MS, timetable.retryMs), signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isEngineError(error, 'database-is-copy')) {
        // As it should be: the service beside the other cluster makes them. Where none does, what else is due has its turn here all the same.
        tries[work] = { failures: 0, lastFailureAtMs: clock.wall().getTime() };
        log.info('backup_elsewhere', { reason: error.message });
      } else {
        const failures = tries[work].failures + 1;
        tries[work] = { failures, lastFailureAtMs: clock.wall().getTime() };
        if (work === 'backup') parts.state.failed();
        log.error(FAILED[work], { error: describeError(error), failures });
      }
      await clock.sleep(Math.min(timetable.retryMs, timetable.intervalMs), signal).catch(() => undefined);
    }
  }
}

async function once(parts: ServiceParts, work: Work, lease: WriterLease, signal: AbortSignal): Promise<void> {
  if (work === 'verification') return await parts.verify(lease, signal);
  const { log } = parts;
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
