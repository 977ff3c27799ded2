import type { LoadedConfig } from '../../config/load.ts';
import type { Manifest } from '../format/manifest.ts';
import { systemClock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { describeError, openLog, type Log } from '../../telemetry/log.ts';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import { listBackups } from '../repository/catalog.ts';
import { LogShipper } from '../log/shipper.ts';
import { configuredBackup, createConfigured, databaseFolder, openConfiguredRepository, whileWriter } from './configured.ts';
import { runLogLoop } from './log-loop.ts';
import { runService } from './service.ts';

const RETRY_MS = 5_000;
const WAIT_MS = 1_000;

/** `coditect-dr backup-service`: puts the program together and runs it until the signal aborts. */
export async function startBackupService(loaded: LoadedConfig, signal: AbortSignal): Promise<void> {
  const configured = configuredBackup(loaded);
  const { backup } = configured;
  const log = openLog({ component: 'dr.backup', region: loaded.config.region, clock: systemClock });
  const repository = await whenThere(() => openConfiguredRepository(configured, signal), log, signal);
  if (repository === null) return;
  log.info('started', { interval_seconds: backup.interval_seconds, cluster: backup.cluster.id });
  const newest = async (either: AbortSignal): Promise<Manifest | null> =>
    (await listBackups(repository, backup.cluster.id, either)).findLast(({ problem }) => problem === null)?.manifest ?? null;
  const reader = await whenThere(async () => openLmdbReader(databaseFolder(loaded)), log, signal);
  if (reader === null) return;
  const shipper = new LogShipper({
    repository,
    cluster: backup.cluster.id,
    reader,
    clock: systemClock,
    anchor: async (either) => {
      const manifest = await newest(either);
      return manifest === null ? null : { epoch: Number(manifest.generation), index: Number(manifest.readVersion) };
    },
  });
  const shipping =
    backup.log_seconds === null ? null : runLogLoop({ shipper, periodMs: backup.log_seconds * 1000, clock: systemClock, log }, signal);
  await runService(
    {
      timetable: { intervalMs: backup.interval_seconds * 1000, jitterMs: backup.jitter_seconds * 1000, retryMs: RETRY_MS },
      newestAtMs: async (either) => {
        const manifest = await newest(either);
        return manifest === null ? null : Date.parse(manifest.created);
      },
      whileWriter: (work, either) => whileWriter(configured, work, either),
      // Opened anew: the epoch key may have changed.
      create: async (lease, either) =>
        await createConfigured(
          configured,
          {
            repository: await openConfiguredRepository(configured, either),
            lease,
            fullScan: false,
            log: shipper.head === null ? null : { stream: shipper.head.stream, head: shipper.head.hash.toString('hex') },
            onProgress: () => undefined,
            onStep: async (step) => {
              log.info(`backup_${step}`, { lease_epoch: lease.epoch });
              if (backup.step_pause_seconds > 0) await systemClock.sleep(backup.step_pause_seconds * 1000, either);
            },
          },
          either,
        ),
      clock: systemClock,
      log,
      random: Math.random,
    },
    signal,
  );
  await shipping;
  await reader.close();
  log.info('stopped');
}

/** Tries until it works: the service may be started before the database beside it, or while the store cannot be reached. null when the signal aborts. */
async function whenThere<T>(open: () => Promise<T>, log: Log, signal: AbortSignal): Promise<T | null> {
  let told = '';
  while (!signal.aborted) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === 'bad-config') throw error;
      if (error.message !== told) log.warn('backup_waiting', { error: describeError(error) });
      told = error.message;
      await systemClock.sleep(WAIT_MS, signal).catch(() => undefined);
    }
  }
  return null;
}
