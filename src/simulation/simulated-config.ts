import type { EngineConfig } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';

export const REGIONS = ['us-central1', 'us-east1', 'europe-west1'] as const;

/** The configuration of a region's programs in the simulated system. */
export function configOf(
  region: string,
  { policy, mode, rpoSeconds }: { readonly policy: Policy; readonly mode: 'sync' | 'async'; readonly rpoSeconds: number },
): EngineConfig {
  const [primary, ...standbys] = REGIONS;
  return {
    region,
    primary_region: primary,
    standby_regions: standbys,
    rpo_seconds: rpoSeconds,
    rto_seconds: 60,
    backup_retention_days: 30,
    policy,
    replication: mode,
    listen: { host: '0.0.0.0', port: 1 },
    regions: Object.fromEntries(
      REGIONS.map((name, i) => [
        name,
        {
          api: `https://api.${name}`,
          database: `https://database.${name}`,
          controller: [`https://controller.${name}`],
          addresses: [`10.77.${i + 1}.10`],
        },
      ]),
    ),
    arbiter: { kind: 'etcd', endpoints: ['https://arbiter'], prefix: '/simulated/' },
    dns: {
      kind: 'rfc2136',
      server: '10.77.9.53',
      port: 53,
      zone: 'simulated.test.',
      name: 'api.simulated.test.',
      ttl_seconds: 1,
      tsig: { name: 'key.', algorithm: 'hmac-sha256', secret_file: '' },
    },
    tls: { ca: '', cert: '', key: '' },
    database: { kind: 'embedded' },
  };
}
