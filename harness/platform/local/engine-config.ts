import type { FoundationdbPrograms } from '../foundationdb-programs.ts';
import { backupSection, type BackupKeys, type BackupSettings } from './backup-config.ts';
import { databaseSection } from './foundationdb.ts';
import { PORTS, podOf, SERVICE_NAME, ZONE, type App, type PodSpec, type Topology } from './topology.ts';

export interface EngineSettings {
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  /** null, or left out: no backups. */
  readonly backup?: BackupSettings | null;
  readonly backupKeys?: BackupKeys | null;
  /** null, or left out: the embedded database. */
  readonly foundationdb?: FoundationdbPrograms | null;
}

export const TSIG_KEY_NAME = 'coditect-dr.';
const DAY_MS = 86_400_000;
/** Seconds; the lab's policy wants fast DNS, production has what is usual (DESIGN §7). */
const DNS_TTL_SECONDS = { lab: 1, production: 30 } as const;

/** Pods with the keys of the backups: beside the databases, in them (a restore fills a database where it is), and where copies are restored. */
export const MAKES_BACKUPS: readonly App[] = ['backup', 'db', 'restore'];

/**
 * The engine's configuration file for one pod, as a value (ARCHITECTURE §3): the same for every program of a region but for the address it
 * listens on. Pure. Paths are relative to the file.
 */
export function engineConfig(topology: Topology, pod: PodSpec, settings: EngineSettings): Readonly<Record<string, unknown>> {
  const region = topology.regions.includes(pod.region) ? pod.region : topology.primaryRegion;
  return {
    region,
    primary_region: topology.primaryRegion,
    standby_regions: topology.regions.filter((name) => name !== topology.primaryRegion),
    rpo_seconds: 5,
    rto_seconds: 10,
    backup_retention_days: settings.backup?.retentionMs == null ? 30 : settings.backup.retentionMs / DAY_MS,
    policy: policyOf(topology, settings),
    replication: settings.replication,
    listen: { host: pod.ipv4, port: listenPort(pod) },
    regions: Object.fromEntries(topology.regions.map((name) => [name, endpoints(topology, name)])),
    arbiter: { kind: 'etcd', endpoints: arbiterEndpoints(topology, region), prefix: '/coditect-dr/' },
    dns: {
      kind: 'rfc2136',
      server: podOf(topology, 'dns', 'outside').ipv4,
      port: PORTS.dns,
      zone: `${ZONE}.`,
      name: `${SERVICE_NAME}.`,
      ttl_seconds: DNS_TTL_SECONDS[settings.policy],
      tsig: { name: TSIG_KEY_NAME, algorithm: 'hmac-sha256', secret_file: 'secrets/tsig' },
    },
    tls: { ca: 'tls/ca.crt', cert: 'tls/tls.crt', key: 'tls/tls.key' },
    ...(settings.foundationdb ? { database: databaseSection(topology, settings.foundationdb) } : {}),
    ...(pod.app === 'db' || pod.app === 'backup' || pod.app === 'restore' ? { data: { path: 'data' } } : {}),
    ...(settings.backup === undefined || settings.backup === null || !MAKES_BACKUPS.includes(pod.app)
      ? {}
      : { backup: backupSection(topology, settings.backup, settings.backupKeys?.recipient) }),
  };
}

/** fdbdr is 0.05 to 0.2 s behind (measured); on a machine that does everything else too it may be more than a lab's second, and a planned move would be undone. */
function policyOf({ foundationdb }: Topology, { policy, foundationdb: there }: EngineSettings): unknown {
  return there && foundationdb === 'pair' && policy === 'lab' ? { preset: 'lab', catchUpMs: 5000 } : policy;
}

function endpoints(topology: Topology, region: string): Readonly<Record<string, unknown>> {
  const urls = (app: 'api' | 'db' | 'dr-controller'): readonly string[] =>
    topology.pods.filter((pod) => pod.app === app && pod.region === region).map((pod) => `https://${pod.ipv4}:${PORTS[app]}`);
  const api = podOf(topology, 'api', region);
  const controllers = urls('dr-controller');
  // One address stays one: engines that know no lists can be judged too.
  const controller = controllers.length === 1 ? controllers[0] : controllers;
  return { api: urls('api')[0], database: urls('db')[0], controller, addresses: [api.ipv4, api.ipv6] };
}

/** The own region's member first: the one that answers soonest. */
function arbiterEndpoints(topology: Topology, region: string): readonly string[] {
  const nearestFirst = [region, ...topology.regions.filter((name) => name !== region)];
  return nearestFirst.map((name) => `https://${podOf(topology, 'etcd', name).ipv4}:${PORTS.etcd}`);
}

function listenPort(pod: PodSpec): number {
  return pod.app === 'api' || pod.app === 'db' || pod.app === 'dr-controller' ? PORTS[pod.app] : 0;
}
