import type { BackupConfig } from '../../config/backup-config.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { DataReader } from '../../database/data-reader.ts';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import { systemClock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { jsonReply, metricsRoute } from '../../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../../platform/https-server.ts';
import { loadCredentials } from '../../platform/tls.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { describeError, openLog, type Log } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { logEndOf } from '../format/manifest.ts';
import { LogShipper } from '../log/shipper.ts';
import type { Created, WriterLease } from '../pipeline/create.ts';
import { openAccess } from '../repository/access.ts';
import { listBackups, trustedOf } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import { BackupState } from './backup-state.ts';
import {
  configuredBackup,
  createConfigured,
  databaseFolder,
  openConfiguredRepository,
  whileWriter,
  type ConfiguredBackup,
} from './configured.ts';
import { runLogLoop } from './log-loop.ts';
import { hasParted } from './parted.ts';
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
    const watch = new RepositoryWatch(access, clock);
    if ((await whenThere(() => watch.current(signal), log, signal)) === null) return;
    log.info('started', { interval_seconds: backup.interval_seconds, cluster: backup.cluster.id });
    const isEmbedded = loaded.config.database.kind === 'embedded';
    const reader = isEmbedded ? await whenThere(() => openLmdbReader(databaseFolder(loaded)), log, signal) : undefined;
    if (reader === null) return;
    try {
      await runAll({ configured, watch, reader, state, log }, signal);
    } finally {
      await reader?.close();
    }
  } finally {
    await server?.close(GRACE_MS);
    log.info('stopped');
  }
}

interface ServiceWorld {
  readonly configured: ConfiguredBackup;
  readonly watch: RepositoryWatch;
  /** Of this machine's own database, whose log goes into the repository too; undefined: FoundationDB, whose backups have no log. */
  readonly reader: DataReader | undefined;
  readonly state: BackupState;
  readonly log: Log;
}

async function runAll({ configured, watch, reader, state, log }: ServiceWorld, signal: AbortSignal): Promise<void> {
  const { backup } = configured;
  const clock = systemClock;
  const repository = (either: AbortSignal): Promise<Repository> => watch.current(either);
  const anchors = async (either: AbortSignal): Promise<readonly LogEnd[]> =>
    await anchorsIn(await repository(either), backup.cluster.id, either);
  const shipper = reader === undefined ? null : new LogShipper({ repository, cluster: backup.cluster.id, reader, clock, anchors });
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const shipping =
    shipper === null || backup.log_seconds === null
      ? null
      : runLogLoop({ shipper, periodMs: backup.log_seconds * 1000, state, clock, log }, either);
  try {
    await runService(
      {
        timetable: {
          intervalMs: backup.interval_seconds * 1000,
          jitterMs: backup.jitter_seconds * 1000,
          verifyMs: backup.verify_seconds === null ? null : backup.verify_seconds * 1000,
          retryMs: RETRY_MS,
        },
        look: async (stop) =>
          await state.look(await repository(stop), backup, stop, (end) => reader !== undefined && hasParted(reader, end)),
        verify: async (lease, stop) => await verifyAndPrune(configured, log, lease, stop),
        whileWriter: (work, stop) => whileWriter(configured, work, stop),
        create: (lease, stop) => createOne({ configured, shipper, log }, lease, stop),
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
  { configured, shipper, log }: Pick<ServiceWorld, 'configured' | 'log'> & { readonly shipper: LogShipper | null },
  lease: WriterLease,
  signal: AbortSignal,
): Promise<Created> {
  const pauseMs = configured.backup.step_pause_seconds * 1000;
  // Opened anew: the epoch key may have changed a moment ago.
  const repository = await openConfiguredRepository(configured, signal);
  const head = shipper?.head ?? null;
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

/** Where a new stream of the log may begin: at backups under the epoch key of now, the newest first, then at those of before. */
async function anchorsIn(repository: Repository, cluster: string, signal: AbortSignal): Promise<readonly LogEnd[]> {
  const newestFirst = trustedOf(await listBackups(repository, cluster, signal)).toReversed();
  const isOfNow = ({ kid }: { readonly kid: string }): boolean => kid === repository.keys.kid;
  return [...newestFirst.filter(isOfNow), ...newestFirst.filter((manifest) => !isOfNow(manifest))].map(logEndOf);
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
