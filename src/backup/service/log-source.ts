import { openChangeLog } from '../../adapters.ts';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { ChangeShipper } from '../log/change-shipper.ts';
import { tailIn } from '../log/log-tail.ts';
import { LogShipper, type Anchor, type Shipped, type StreamHead } from '../log/shipper.ts';
import { listBackups, trustedOf } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import { databaseFolder, type ConfiguredBackup } from './configured.ts';
import { hasParted } from './parted.ts';

/** What was committed, on its way into the repository. */
export interface LogSource {
  readonly shipper: { tick(signal: AbortSignal): Promise<Shipped>; readonly head: StreamHead | null };
  /** Whether no log leads on from a backup that ends there. */
  hasParted(backup: Anchor): boolean;
  close(): Promise<void>;
}

export interface LogSourceParts {
  readonly configured: ConfiguredBackup;
  /** Asked at each turn: the epoch key may change. */
  readonly repository: (signal: AbortSignal) => Promise<Repository>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The log of the database: of an embedded one this machine's own, of FoundationDB what it captures; undefined where none is configured. @throws EngineError where it cannot be opened, or not yet */
export async function openLogSource(parts: LogSourceParts): Promise<LogSource | undefined> {
  return parts.configured.loaded.config.database.kind === 'embedded' ? await openOwn(parts) : await openCaptured(parts);
}

async function openOwn({ configured, repository, clock }: LogSourceParts): Promise<LogSource> {
  const reader = await openLmdbReader(databaseFolder(configured.loaded));
  const cluster = configured.backup.cluster.id;
  const anchors = async (signal: AbortSignal): Promise<readonly Anchor[]> => await anchorsIn(await repository(signal), cluster, signal);
  return {
    shipper: new LogShipper({ repository, cluster, reader, clock, anchors }),
    hasParted: (end) => hasParted(reader, end),
    close: async () => reader.close(),
  };
}

async function openCaptured({ configured: { loaded, backup }, repository, clock, log }: LogSourceParts): Promise<LogSource | undefined> {
  const { database } = loaded.config;
  if (database.kind === 'embedded' || backup.foundationdb_log === undefined) return undefined;
  const onAgentEnd = (what: string): void => log.warn('backup_agent_ended', { what });
  const source = await openChangeLog({ database, folder: loaded.folder, clock }, backup.foundationdb_log, onAgentEnd);
  const shipper = new ChangeShipper({ repository, cluster: backup.cluster.id, source, clock });
  return {
    shipper,
    hasParted: (end) => shipper.hasParted(end),
    close: async () => log.info('backup_log_left', { note: await source.close() }),
  };
}

/** Where a new stream of the log may begin: at backups under the epoch key of now, the newest first, then at those of before. */
export async function anchorsIn(repository: Repository, cluster: string, signal: AbortSignal): Promise<readonly Anchor[]> {
  const newestFirst = trustedOf(await listBackups(repository, cluster, signal)).toReversed();
  const isOfNow = ({ kid }: { readonly kid: string }): boolean => kid === repository.keys.kid;
  return [...newestFirst.filter(isOfNow), ...newestFirst.filter((manifest) => !isOfNow(manifest))].map(tailIn);
}
