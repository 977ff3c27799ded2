import type { LoadedConfig } from '../../config/load.ts';
import { systemClock } from '../../platform/clock.ts';
import { openLog } from '../../telemetry/log.ts';
import { listBackups } from '../repository/catalog.ts';
import { configuredBackup, createConfigured, openConfiguredRepository, whileWriter } from './configured.ts';
import { runService } from './service.ts';

const RETRY_MS = 5_000;

/** `coditect-dr backup-service`: puts the program together and runs it until the signal aborts. */
export async function startBackupService(loaded: LoadedConfig, signal: AbortSignal): Promise<void> {
  const configured = configuredBackup(loaded);
  const { backup } = configured;
  const log = openLog({ component: 'dr.backup', region: loaded.config.region, clock: systemClock });
  const repository = await openConfiguredRepository(configured, signal);
  log.info('started', { interval_seconds: backup.interval_seconds, cluster: backup.cluster.id });
  await runService(
    {
      timetable: { intervalMs: backup.interval_seconds * 1000, jitterMs: backup.jitter_seconds * 1000, retryMs: RETRY_MS },
      newestAtMs: async (either) => {
        const newest = (await listBackups(repository, backup.cluster.id, either)).findLast(({ problem }) => problem === null);
        return newest?.manifest === null || newest === undefined ? null : Date.parse(newest.manifest.created);
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
            log: null,
            excluded: new Set(),
            onProgress: () => undefined,
          },
          either,
        ),
      clock: systemClock,
      log,
      random: Math.random,
    },
    signal,
  );
  log.info('stopped');
}
