import type { EngineConfig } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';

export const REGIONS = ['us-central1', 'us-east1', 'europe-west1'] as const;
export type Region = (typeof REGIONS)[number];
/** Those and six more, to see what grows with their number. */
export const NINE_REGIONS: readonly string[] = [
  ...REGIONS,
  'us-west1',
  'us-south1',
  'europe-north1',
  'europe-west9',
  'asia-east1',
  'asia-south1',
];
export const PROGRAMS = ['database', 'api', 'controller'] as const;
export type Program = (typeof PROGRAMS)[number];

export type TestPolicy = 'lab' | ({ readonly preset: 'lab' | 'production' } & Partial<Policy>);

/** The lab's policy with the patience that a machine needs that runs other things as well: tests are about order and outcome, not about speed. */
export const PATIENT = {
  preset: 'lab',
  probeTimeoutMs: 400,
  suspectAfterMs: 1500,
  confirmMs: 500,
  arbiterRpcMs: 300,
  holderStopsMs: 2500,
  leaseMs: 2700,
  successorWaitsMs: 3000,
  leaderTakeoverMs: 1500,
  appendTimeoutMs: 900,
  syncDropAfterMs: 1500,
  undoMs: 4000,
} as const satisfies TestPolicy;

/** What a bucket can keep: no object is written twice within a second. */
export const PATIENT_WITH_A_BUCKET = {
  ...PATIENT,
  leaseRenewMs: 1000,
  leaderRenewMs: 1000,
  leaderTakeoverMs: 3000,
  arbiterRpcMs: 500,
  holderStopsMs: 3500,
  leaseMs: 3700,
  successorWaitsMs: 3900,
} as const satisfies TestPolicy;

export interface TestSettings {
  readonly mode: 'sync' | 'async';
  readonly policy: TestPolicy;
  readonly arbiter: EngineConfig['arbiter'];
  readonly dns: EngineConfig['dns'];
  /** Laid over the rest. */
  readonly more: Readonly<Record<string, unknown>> & Partial<Pick<EngineConfig, 'arbiter' | 'dns'>>;
  /** What the names of the program's certificate files begin with: `<pem>ca.pem`, `<pem>cert.pem`, `<pem>key.pem` beside its configuration. */
  readonly pem: string;
  /** The first is the primary; the usual three where none are given. */
  readonly regions?: readonly string[];
  /** The port on loopback of each program of each region. */
  readonly portOf: (program: Program, region: string) => number;
  /** Of a second controller in each region, where there is one. */
  readonly secondControllerOf?: (region: string) => number;
}

/** The text of the configuration file of one program of one region. */
export function testConfig(settings: TestSettings, program: Program, region: string): string {
  const { mode, policy, arbiter, dns, more, pem, portOf, secondControllerOf, regions: names = REGIONS } = settings;
  // Where nobody listens (0 and 1 say so) each region has a port of its own all the same.
  const url = (of: Program, where: string): string => {
    const port = portOf(of, where);
    return `https://127.0.0.1:${port > 1 ? port : port + names.indexOf(where)}`;
  };
  const regions = names.map((where, i) => [
    where,
    {
      api: url('api', where),
      database: url('database', where),
      controller:
        secondControllerOf === undefined
          ? url('controller', where)
          : [url('controller', where), `https://127.0.0.1:${secondControllerOf(where)}`],
      addresses: [`127.0.1.${i + 1}`, `fd77::${i + 1}:10`],
    },
  ]);
  // JSON is YAML.
  return JSON.stringify({
    region,
    primary_region: names[0],
    standby_regions: names.slice(1),
    rpo_seconds: 5,
    rto_seconds: 10,
    backup_retention_days: 30,
    policy,
    replication: mode,
    listen: { host: '127.0.0.1', port: portOf(program, region) },
    regions: Object.fromEntries(regions) as unknown,
    arbiter,
    dns,
    tls: { ca: `${pem}ca.pem`, cert: `${pem}cert.pem`, key: `${pem}key.pem` },
    data: { path: 'data' },
    ...more,
  });
}

/** Of commands that are given where nobody listens, but at the ports that are named. */
export function configWithoutSystem(database: object, portOf: TestSettings['portOf'] = () => 1): string {
  const settings: TestSettings = {
    mode: 'pair_homes' in database ? 'async' : 'sync',
    policy: PATIENT,
    arbiter: { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/x/' },
    dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
    more: { database },
    pem: '',
    portOf,
  };
  return testConfig(settings, 'controller', REGIONS[1]);
}
