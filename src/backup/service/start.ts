import type { BackupConfig } from '../../config/backup-config.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { systemClock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { jsonReply, metricsRoute } from '../../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../../platform/https-server.ts';
import { loadCredentials } from '../../platform/tls.ts';
import { describeError, openLog, type Log } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Created, WriterLease } from '../pipeline/create.ts';
import { openAccess } from '../repository/access.ts';
import type { Repository } from '../repository/repository.ts';
import { BackupState } from './backup-state.ts';
import { configuredBackup, createConfigured, openConfiguredRepository, whileWriter, type ConfiguredBackup } from './configured.ts';
import { runLogLoop } from './log-loop.ts';
import { openLogSource, type LogSource } from './log-source.ts';
import { RepositoryWatch } from './repository-watch.ts';
import { runService } from './service.ts';
import { verifyAndPrune } from './upkeep.ts';

const RETRY_MS = 5_000;
const WAIT_MS = 1_000;
/** How long running requests may take to end when the program stops. */
const GRACE_MS = 500;

/** `coditect-dr backup-service`: puts the program together and runs it until the signal aborts. */
export async function startBackupService(loaded: LoadedConfig, signal: AbortSignal): Promise<void> {
  const configured = configuredBackup(loaded);
  const { backup } = configured;
  const clock = systemClock;
  const log = openLog({ component: 'dr.backup', region: loaded.config.region, clock });
  const state = new BackupState(clock);
  const server = await startMetrics(loaded, backup, { state, log });
  try {
    const access = await whenThere(async () => await openAccess({ backup, folder: loaded.folder, clock }), log, signal);
    if (access === null) return;
    const watch = new RepositoryWatch(access, clock, (problem) => log.warn('backup_key_unknown', { problem }));
    if ((await whenThere(() => watch.current(signal), log, signal)) === null) return;
    log.info('started', { interval_seconds: backup.interval_seconds, cluster: backup.cluster.id });
    const repository = (either: AbortSignal): Promise<Repository> => watch.current(either);
    const source = await whenThere(() => openLogSource({ configured, repository, clock, log }), log, signal);
    if (source === null) return;
    try {
      await runAll({ configured, repository, source, state, log }, signal);
    } finally {
      await source?.close();
    }
  } finally {
    await server?.close(GRACE_MS);
    log.info('stopped');
  }
}

interface ServiceWorld {
  readonly configured: ConfiguredBackup;
  readonly repository: (signal: AbortSignal) => Promise<Repository>;
  /** Of the log, which goes into the repository too; undefined: FoundationDB without one. */
  readonly source: LogSource | undefined;
  readonly state: BackupState;
  readonly log: Log;
}

async function runAll({ configured, repository, source, state, log }: ServiceWorld, signal: AbortSignal): Promise<void> {
  const { backup } = configured;
  const clock = systemClock;
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const shipping =
    source === undefined || backup.log_seconds === null
      ? null
      : runLogLoop({ shipper: source.shipper, periodMs: backup.log_seconds * 1000, state, clock, log }, either);
  try {
    await runService(
      {
        timetable: {
          intervalMs: backup.interval_seconds * 1000,
          jitterMs: backup.jitter_seconds * 1000,
          verifyMs: backup.verify_seconds === null ? null : backup.verify_seconds * 1000,
          retryMs: RETRY_MS,
        },
        look: async (stop) => await state.look(await repository(stop), backup, stop, (end) => source?.hasParted(end) === true),
        verify: async (lease, stop) => await verifyAndPrune(configured, log, lease, stop),
        whileWriter: (work, stop) => whileWriter(configured, work, stop),
        create: (lease, stop) => createOne({ configured, source, log }, lease, stop),
        state,
        clock,
        log,
        random: Math.random,
      },
      either,
    );
  } finally {
    ending.abort(new EngineError('timeout', 'the service has ended'));
    await shipping;
  }
}

async function createOne(
  { configured, source, log }: Pick<ServiceWorld, 'configured' | 'source' | 'log'>,
  lease: WriterLease,
  signal: AbortSignal,
): Promise<Created> {
  const pauseMs = configured.backup.step_pause_seconds * 1000;
  // Opened anew: the epoch key may have changed a moment ago.
  const repository = await openConfiguredRepository(configured, signal);
  const head = source?.shipper.head ?? null;
  return await createConfigured(
    configured,
    {
      repository,
      lease,
      fullScan: false,
      locks: false,
      log: head === null ? null : { stream: head.stream, head: head.hash.toString('hex') },
      onNote: (note) => log.warn('backup_note', { note }),
      onProgress: () => undefined,
      onStep: async (step) => {
        log.info(`backup_${step}`, { lease_epoch: lease.epoch });
        if (pauseMs > 0) await systemClock.sleep(pauseMs, signal);
      },
    },
    signal,
  );
}

/** Before all else: who asks for the age of the newest backup hears that none is known. */
async function startMetrics(
  { config, folder }: LoadedConfig,
  { listen }: BackupConfig,
  { state, log }: { readonly state: BackupState; readonly log: Log },
): Promise<HttpsServer | null> {
  if (listen === undefined) return null;
  const metrics = new Metrics(config.region, () => state.samples());
  const server = await startHttpsServer({
    ...listen,
    credentials: loadCredentials(config.tls, folder),
    routes: [
      metricsRoute('anyone', () => metrics.text()),
      {
        method: 'GET',
        path: '/health',
        roles: 'anyone',
        handle: () => jsonReply({ region: config.region, status: 'Healthy', timestamp: systemClock.wall().toISOString() }),
      },
    ],
    onError: (error, request) => log.error('request_failed', { ...request, error }, request.correlationId),
  });
  log.info('listening', { port: server.port });
  return server;
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
