import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { openArbiter } from '../adapters.ts';
import { openAccess } from '../backup/repository/access.ts';
import { openRepository, type Repository } from '../backup/repository/repository.ts';
import type { BackupFacts } from '../backup/pipeline/manifest-of.ts';
import { acquireWriterLease, type HeldWriterLease } from '../backup/service/writer-lease.ts';
import type { BackupConfig } from '../config/backup-config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { loadCredentials } from '../platform/tls.ts';
import type { World } from './world.ts';

export const TOOL_VERSION = '0.1.0';

/** What the backup commands share. */
export interface BackupCommand {
  readonly loaded: LoadedConfig;
  readonly backup: BackupConfig;
  readonly json: boolean;
  readonly world: World;
}

export function backupCommand(loaded: LoadedConfig, json: boolean, world: World): BackupCommand {
  const { backup } = loaded.config;
  if (backup === undefined) throw new EngineError('bad-config', 'the configuration has no section `backup`; see docs/backup.md');
  return { loaded, backup, json, world };
}

export async function openConfiguredRepository({ loaded, backup, world }: BackupCommand): Promise<Repository> {
  return await openRepository(await openAccess({ backup, folder: loaded.folder, clock: systemClock }), world.signal);
}

/** The LMDB folder of this machine's database. */
export function databaseFolder({ config, folder }: LoadedConfig): string {
  if (config.data === undefined)
    throw new EngineError('bad-config', 'data.path: backups are made beside a database, from its folder; name it');
  return resolve(folder, config.data.path, 'db');
}

export function factsOf({ loaded: { config }, backup }: BackupCommand): Omit<BackupFacts, 'log'> {
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

/** Runs the work while this program holds the right to write backups; `busy` tells who has it. */
export async function whileWriter<T>(
  { loaded: { config, folder }, world }: BackupCommand,
  work: (lease: HeldWriterLease, signal: AbortSignal) => Promise<T>,
): Promise<
  { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy'; readonly holder: string } | { readonly kind: 'unknown' }
> {
  const arbiter = await openArbiter({ config, folder, credentials: loadCredentials(config.tls, folder), clock: systemClock });
  try {
    const timing = leaseTiming(config.policy);
    const acquired = await acquireWriterLease({ arbiter, region: config.region, clock: systemClock, timing }, world.signal);
    if (acquired.kind !== 'held') return acquired;
    try {
      return { kind: 'done', value: await work(acquired.lease, AbortSignal.any([world.signal, acquired.lease.lost])) };
    } finally {
      await acquired.lease.release();
    }
  } finally {
    await arbiter.close();
  }
}

/** As slow as the leadership of controllers: nothing waits for a backup's writer to be replaced. */
export function leaseTiming(policy: { readonly leaderRenewMs: number; readonly leaderTakeoverMs: number }): {
  readonly renewMs: number;
  readonly takeoverMs: number;
} {
  return { renewMs: policy.leaderRenewMs, takeoverMs: 2 * policy.leaderTakeoverMs };
}
