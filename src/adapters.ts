import { resolve } from 'node:path';
import type { Arbiter } from './arbiter/arbiter.ts';
import type { BackupConfig } from './config/backup-config.ts';
import type { EngineConfig } from './config/config.ts';
import { OBJECT_WRITES_APART_MS } from './config/policy.ts';
import type { ChangeLog } from './database/change-log.ts';
import type { Database } from './database/database.ts';
import type { RemoteDatabase } from './database/remote-snapshot.ts';
import type { RemoteTarget } from './database/remote-target.ts';
import type { DnsProvider } from './dns/dns.ts';
import type { KeyService } from './keys/key-service.ts';
import type { ObjectStore } from './objectstore/object-store.ts';
import type { Clock } from './platform/clock.ts';
import { readSecret } from './platform/secret.ts';
import type { Credentials } from './platform/tls.ts';

/** What an adapter is opened with. */
export interface AdapterContext {
  readonly config: EngineConfig;
  /** Folder of the configuration file: paths in it are relative to it. */
  readonly folder: string;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

type Settings = Pick<EngineConfig, 'arbiter' | 'dns'>;
/** For each kind of a port's settings how it is opened. Each loads its own module: Google's clients cost 0.1 to 0.2 s of CPU and 25 to 35 MB. */
type Openers<P extends keyof Settings, T> = {
  readonly [K in Settings[P]['kind']]: (settings: Extract<Settings[P], { kind: K }>, context: AdapterContext) => Promise<T>;
};

/** The one list of arbiters. */
const ARBITERS: Openers<'arbiter', Arbiter> = {
  etcd: async ({ endpoints, prefix }, { config: { policy }, credentials, clock }) =>
    (await import('./arbiter/etcd.ts')).openEtcd({
      endpoints,
      prefix,
      credentials,
      rpcMs: policy.arbiterRpcMs,
      // A healthy system renews a lease all the time: two renewals missed is worth a look.
      silenceMs: 2 * policy.leaseRenewMs,
      clock,
    }),
  gcs: async ({ bucket, prefix, project, endpoint }, { config: { policy }, clock }) => {
    const [{ openGcsStore }, { openObjectArbiter }] = await Promise.all([
      import('./objectstore/gcs-store.ts'),
      import('./arbiter/object-store.ts'),
    ]);
    const store = openGcsStore({ bucket, timeoutMs: policy.arbiterRpcMs, ...given({ projectId: project, endpoint }) });
    // Twice a renewal: what a successor counts from is seen half a period late at most.
    return openObjectArbiter({ store, prefix, pollMs: policy.leaseRenewMs / 2, writesApartMs: OBJECT_WRITES_APART_MS, clock });
  },
};

/** The one list of DNS providers. */
const DNS_PROVIDERS: Openers<'dns', DnsProvider> = {
  rfc2136: async ({ server, port, zone, name, ttl_seconds: ttlSeconds, tsig }, { config, folder, clock }) => {
    const key = {
      name: tsig.name,
      algorithm: tsig.algorithm,
      secret: readSecret(resolve(folder, tsig.secret_file), 'dns.tsig.secret_file'),
    };
    const { openRfc2136 } = await import('./dns/rfc2136.ts');
    return openRfc2136({ server, port, zone, name, ttlSeconds, key, timeoutMs: config.policy.appendTimeoutMs, clock });
  },
  'cloud-dns': async ({ project, managed_zone: managedZone, name, ttl_seconds: ttlSeconds, endpoint }, { config: { policy }, clock }) => {
    const { openCloudDns } = await import('./dns/cloud-dns.ts');
    // A request has the time of RFC 2136's three tries: the client makes its own.
    const limits = { timeoutMs: 3 * policy.appendTimeoutMs, pendingMs: policy.stepTimeoutMs };
    return openCloudDns({ managedZone, name, ttlSeconds, clock, ...limits, ...given({ project, endpoint }) });
  },
};

export async function openArbiter(context: AdapterContext): Promise<Arbiter> {
  const { arbiter } = context.config;
  return await (ARBITERS[arbiter.kind] as (settings: typeof arbiter, context: AdapterContext) => Promise<Arbiter>)(arbiter, context);
}

export async function openDns(context: AdapterContext): Promise<DnsProvider> {
  const { dns } = context.config;
  return await (DNS_PROVIDERS[dns.kind] as (settings: typeof dns, context: AdapterContext) => Promise<DnsProvider>)(dns, context);
}

/** The databases; the module is loaded by the program that has one only. */
export async function loadDatabaseOpener(): Promise<(folder: string) => Database> {
  return (await import('./database/lmdb.ts')).openLmdb;
}

/** What the adapters of backups are opened with. */
export interface BackupContext {
  readonly backup: BackupConfig;
  readonly folder: string;
  readonly clock: Clock;
}

/** What backups of a database that is not this machine's are read from, or restored into. */
export interface RemoteContext {
  readonly database: Exclude<EngineConfig['database'], { kind: 'embedded' }>;
  readonly folder: string;
  readonly clock: Clock;
  /** The system, and the epoch of the right to write, that a lock is held under. */
  readonly lock: { readonly cluster: string; readonly epoch: number };
  /** Hears of a lock that an earlier run had left. */
  readonly note: (text: string) => void;
}

/** @param locks whether all others are to be locked out while it is read */
export async function openRemoteDatabase(context: RemoteContext, locks: boolean): Promise<RemoteDatabase> {
  const { openFoundationdb, foundationdbToRead } = await import('./foundationdb/remote-database.ts');
  return foundationdbToRead({ ...openFoundationdb(context, 'backup'), clock: context.clock, locks });
}

export async function openRemoteTarget(context: Omit<RemoteContext, 'clock'>): Promise<RemoteTarget> {
  const [{ openFoundationdb }, { foundationdbToFill }] = await Promise.all([
    import('./foundationdb/remote-database.ts'),
    import('./foundationdb/remote-target.ts'),
  ]);
  return foundationdbToFill(openFoundationdb(context, 'restore'));
}

/** What a database over the network changes, captured by its own means. @param onAgentEnd hears that a program that does so has ended, and is started again */
export async function openChangeLog(
  { database, folder, clock }: Pick<RemoteContext, 'database' | 'folder' | 'clock'>,
  { folder: captureFolder, programs, max_bytes: maxBytes }: NonNullable<BackupConfig['foundationdb_log']>,
  onAgentEnd: (what: string) => void,
): Promise<ChangeLog> {
  const { openFoundationdbLog } = await import('./foundationdb/log/open.ts');
  return await openFoundationdbLog({ database, folder, clock, captureFolder, programs: programs ?? null, maxBytes, onAgentEnd });
}

type StoreConfig<K> = Extract<BackupConfig['store'], { kind: K }>;
type KeysConfig<K> = Extract<BackupConfig['keys'], { kind: K }>;

/** The one list of object stores; modules are loaded by who needs them: Google's client alone takes longer to load than a small restore. */
const OBJECT_STORES: {
  readonly [K in BackupConfig['store']['kind']]: (store: StoreConfig<K>, context: BackupContext) => Promise<ObjectStore>;
} = {
  folder: async ({ path }, { folder, clock }) =>
    (await import('./objectstore/folder-store.ts')).openFolderStore(resolve(folder, path), clock.wall().getTime()),
  gcs: async ({ bucket, project, endpoint, timeout_seconds: timeoutSeconds }) =>
    (await import('./objectstore/gcs-store.ts')).openGcsStore({
      bucket,
      ...given({ projectId: project, endpoint }),
      timeoutMs: timeoutSeconds * 1000,
    }),
};

/** The one list of key services. */
const KEY_SERVICES: {
  readonly [K in BackupConfig['keys']['kind']]: (keys: KeysConfig<K>, context: BackupContext) => Promise<KeyService>;
} = {
  'local-file': async ({ path }, { folder }) => (await import('./keys/local-key-file.ts')).openLocalKeyFile(resolve(folder, path)),
  'cloud-kms': async ({ key, endpoint, timeout_seconds: timeoutSeconds }) =>
    (await import('./keys/cloud-kms.ts')).openCloudKms({
      keyName: key,
      ...given({ endpoint }),
      timeoutMs: timeoutSeconds * 1000,
    }),
  'x25519-file': async ({ path }, { folder }) => (await import('./keys/offline-key.ts')).openOfflineKeyFile(resolve(folder, path)),
};

export async function openObjectStore(context: BackupContext): Promise<ObjectStore> {
  const open = OBJECT_STORES[context.backup.store.kind] as (store: BackupConfig['store'], context: BackupContext) => Promise<ObjectStore>;
  return await open(context.backup.store, context);
}

export async function openKeyService(context: BackupContext): Promise<KeyService> {
  const open = KEY_SERVICES[context.backup.keys.kind] as (keys: BackupConfig['keys'], context: BackupContext) => Promise<KeyService>;
  return await open(context.backup.keys, context);
}

/** Optional settings without those that are absent. */
function given<T extends Readonly<Record<string, string | undefined>>>(settings: T): { readonly [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as { readonly [K in keyof T]?: string };
}
