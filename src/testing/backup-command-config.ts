import { foundationdbConfig, type FoundationdbPlace } from './foundationdb-config.ts';

/** Configuration of a machine whose backup commands are run without any server: beside it are its store, keys and data. JSON is YAML. */
export function backupCommandConfig(cluster: string, data: string, backup: Readonly<Record<string, unknown>>): object {
  const url = (port: number): string => `https://127.0.0.1:${port}`;
  const region = (port: number): object => ({
    api: url(port),
    database: url(port + 1),
    controller: url(port + 2),
    addresses: ['127.0.0.1'],
  });
  const tsig = { name: 'coditect-dr.', algorithm: 'hmac-sha256', secret_file: 'secrets/tsig' };
  return {
    region: 'us-east1',
    primary_region: 'us-central1',
    standby_regions: ['us-east1'],
    rpo_seconds: 5,
    rto_seconds: 10,
    backup_retention_days: 30,
    policy: 'lab',
    replication: 'sync',
    listen: { host: '127.0.0.1', port: 7443 },
    regions: { 'us-central1': region(1), 'us-east1': region(4) },
    arbiter: { kind: 'etcd', endpoints: [url(2379)], prefix: '/coditect-dr/' },
    dns: { kind: 'rfc2136', server: '127.0.0.1', port: 53, zone: 'coditect.test.', name: 'api.coditect.test.', ttl_seconds: 1, tsig },
    tls: { ca: 'tls/ca.crt', cert: 'tls/tls.crt', key: 'tls/tls.key' },
    data: { path: data },
    backup: {
      cluster: { id: cluster },
      store: { kind: 'folder', path: 'store' },
      keys: { kind: 'local-file', path: 'backup.key' },
      signing: { key_file: 'signing.pem' },
      ...backup,
    },
  };
}

/** The same of a machine whose database is that FoundationDB. */
export function foundationdbCommandConfig(cluster: string, { prefix, ...place }: FoundationdbPlace & { readonly prefix: string }): object {
  const database = { ...foundationdbConfig(place, { 'us-central1': 'dc1', 'us-east1': 'dc2' }), prefix };
  return { ...backupCommandConfig(cluster, 'data', {}), database };
}

/** The same with the log of that FoundationDB, whose programs are in that folder. */
export function captureCommandConfig(
  cluster: string,
  { programs, ...place }: FoundationdbPlace & { readonly prefix: string; readonly programs: string },
): object {
  const config = foundationdbCommandConfig(cluster, place) as { readonly backup: object };
  return { ...config, backup: { ...config.backup, foundationdb_log: { folder: 'capture', programs } } };
}
