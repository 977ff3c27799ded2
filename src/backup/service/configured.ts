import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { openArbiter, openRemoteDatabase } from '../../adapters.ts';
import type { BackupConfig } from '../../config/backup-config.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { RemoteDatabase } from '../../database/remote-snapshot.ts';
import { systemClock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { loadCredentials } from '../../platform/tls.ts';
import { createBackup, type Created, type CreateOptions, type WriterLease } from '../pipeline/create.ts';
import { embeddedSource } from '../pipeline/embedded-source.ts';
import type { BackupFacts } from '../pipeline/manifest-of.ts';
import { remoteSource } from '../pipeline/remote-source.ts';
import type { BackupSource } from '../pipeline/source.ts';
import { openAccess } from '../repository/access.ts';
import { highestLeaseEpoch, listBackups } from '../repository/catalog.ts';
import { addMissingRecipients } from '../repository/rewrap.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { damagedNames, markedNames } from '../retention/marks.ts';
import { prune, type Pruned } from '../retention/prune.ts';
import { acquireWriterLease } from './writer-lease.ts';

export const TOOL_VERSION = '0.1.0';
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A configuration that has backups. */
export interface ConfiguredBackup {
  readonly loaded: LoadedConfig;
  readonly backup: BackupConfig;
}

/** @throws EngineError bad-config where it has none */
export function configuredBackup(loaded: LoadedConfig): ConfiguredBackup {
  const { backup } = loaded.config;
  if (backup === undefined)
    throw new EngineError('bad-config', 'the configuration has no section `backup`; see src/config/backup-config.ts');
  return { loaded, backup };
}

/** @param how.toRead as openRepository has it */
export async function openConfiguredRepository(
  { loaded, backup }: ConfiguredBackup,
  signal: AbortSignal,
  how: { readonly toRead?: boolean } = {},
): Promise<Repository> {
  return await openRepository(await openAccess({ backup, folder: loaded.folder, clock: systemClock }), signal, how);
}

/** Where this machine keeps its data. */
export function dataFolder({ config, folder }: LoadedConfig): string {
  if (config.data === undefined) throw new EngineError('bad-config', 'data.path: name the folder where this machine keeps data');
  return resolve(folder, config.data.path);
}

/** The LMDB folder of this machine's database. */
export function databaseFolder(loaded: LoadedConfig): string {
  if (loaded.config.database.kind !== 'embedded')
    throw new EngineError('bad-config', `database.kind: ${loaded.config.database.kind} has no folder on this machine`);
  return join(dataFolder(loaded), 'db');
}

type Run = Pick<CreateOptions, 'repository' | 'lease' | 'fullScan' | 'onProgress' | 'onStep' | 'log'> & {
  /** Lock everybody out of the database until it is read. */
  readonly locks: boolean;
  /** Hears of a lock of the database that an earlier run had left. */
  readonly onNote: (text: string) => void;
};

/** The database as backups read it. */
function sourceOf({ loaded, backup }: ConfiguredBackup, { repository, lease, locks, onNote }: Run): BackupSource {
  const { database } = loaded.config;
  if (database.kind === 'embedded') {
    if (locks) throw new EngineError('bad-request', '--lock: this database is read as of one moment anyway, and nobody waits for it');
    return embeddedSource(databaseFolder(loaded));
  }
  const lock = { cluster: backup.cluster.id, epoch: Number(lease.epoch) };
  const open = async (): Promise<RemoteDatabase> =>
    await openRemoteDatabase({ database, folder: loaded.folder, clock: systemClock, lock, note: onNote }, locks);
  return remoteSource({ open, kind: database.kind, chunkKey: repository.keys.chunk });
}

/** One backup as it is configured. */
export async function createConfigured(configured: ConfiguredBackup, run: Run, signal: AbortSignal): Promise<Created> {
  const { loaded, backup } = configured;
  await addMissingRecipients(run.repository, systemClock.wall(), signal);
  return await createBackup(
    {
      ...factsOf({ loaded, backup }),
      source: sourceOf(configured, run),
      workers: backup.workers,
      level: backup.compression_level,
      packBytes: backup.pack_bytes,
      clock: systemClock,
      // Of a mark that is younger whoever made it will see in time that this backup needs what it names.
      marked: () => markedNames(run.repository, signal, systemClock.wall().getTime() - (backup.grace_hours * HOUR_MS) / 2),
      excluded: new Set([...(await markedNames(run.repository, signal)), ...(await damagedNames(run.repository, signal))]),
      ...run,
    },
    signal,
  );
}

function factsOf({ loaded: { config }, backup }: ConfiguredBackup): Omit<BackupFacts, 'log'> {
  return {
    cluster: backup.cluster,
    region: config.region,
    configDigest: createHash('sha256').update(JSON.stringify(config)).digest('hex'),
    retentionDays: config.backup_retention_days,
    labels: backup.labels,
    objectives: { rpoSeconds: config.rpo_seconds, rtoSeconds: config.rto_seconds },
    toolVersion: TOOL_VERSION,
  };
}

/** What is over its time by the configured rules; `confirm: false` only tells. The caller holds the right to write where it confirms. */
export async function pruneConfigured(
  { loaded: { config }, backup }: ConfiguredBackup,
  run: { readonly repository: Repository; readonly confirm: boolean; readonly check: () => Promise<void> },
  signal: AbortSignal,
): Promise<Pruned> {
  const rules = {
    nowMs: systemClock.wall().getTime(),
    retentionMs: config.backup_retention_days * DAY_MS,
    minimumBackups: backup.minimum_backups,
  };
  return await prune({ ...run, cluster: backup.cluster.id, rules, graceMs: backup.grace_hours * HOUR_MS }, signal);
}

export type WriterOutcome<T> =
  { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy'; readonly holder: string } | { readonly kind: 'unknown' };

/** Runs the work while this program holds the right to write backups; `busy` tells who has it. The work's signal also aborts when that right is lost. */
export async function whileWriter<T>(
  { loaded, backup }: ConfiguredBackup,
  work: (lease: WriterLease, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<WriterOutcome<T>> {
  const { config, folder } = loaded;
  // Opened for the look: the epoch key may have changed.
  const highestEpoch = async (either: AbortSignal): Promise<bigint> =>
    highestLeaseEpoch(await listBackups(await openConfiguredRepository({ loaded, backup }, either), backup.cluster.id, either));
  const arbiter = await openArbiter({ config, folder, credentials: loadCredentials(config.tls, folder), clock: systemClock });
  try {
    // As slow as the leadership of controllers: nothing waits for a backup's writer to be replaced.
    const timing = { renewMs: config.policy.leaderRenewMs, takeoverMs: 2 * config.policy.leaderTakeoverMs };
    const acquired = await acquireWriterLease({ arbiter, region: config.region, clock: systemClock, timing, highestEpoch }, signal);
    if (acquired.kind !== 'held') return acquired;
    try {
      return { kind: 'done', value: await work(acquired.lease, AbortSignal.any([signal, acquired.lease.lost])) };
    } finally {
      await acquired.lease.release();
    }
  } finally {
    await arbiter.close();
  }
}
