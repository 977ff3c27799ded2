import { z } from 'zod';
import { kubernetesConfigShape } from '../kubernetes/config.ts';
import { backupConfigShape } from './backup-config.ts';
import { databaseConfigShape } from './foundationdb-config.ts';
import { PRESETS, policyProblems, policyShape, type Policy } from './policy.ts';

const region = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a region is a DNS label such as us-central1');
const YEAR_SECONDS = 365 * 86_400;
const httpsUrl = z.url({ protocol: /^https$/ });

const policy = z
  .union([z.enum(['lab', 'production']), policyShape.partial().extend({ preset: z.enum(['lab', 'production']) })])
  .transform((value): Policy => {
    if (typeof value === 'string') return PRESETS[value];
    const { preset, ...overrides } = value;
    const given = Object.fromEntries(Object.entries(overrides).filter(([, v]) => v !== undefined));
    return { ...PRESETS[preset], ...given };
  })
  .superRefine((value, context) => {
    for (const message of policyProblems(value)) context.addIssue({ code: 'custom', message });
  });

/** The engine's configuration: the seed's five fields (snake_case, as there) and what a real deployment needs. Paths are relative to the file. */
export const configShape = z.strictObject({
  region,
  primary_region: region,
  standby_regions: z.array(region).min(1),
  rpo_seconds: z.number().nonnegative().max(YEAR_SECONDS),
  rto_seconds: z.number().positive().max(YEAR_SECONDS),
  /** A century at most: the day until which a backup is kept must be one. */
  backup_retention_days: z.number().positive().max(36_500),
  policy,
  replication: z.enum(['sync', 'async']),
  listen: z.strictObject({ host: z.string(), port: z.number().int().min(0).max(65535) }),
  regions: z.record(
    region,
    z.strictObject({
      api: httpsUrl,
      database: httpsUrl,
      /** One address, or those of all controllers of the region: they count as one observer. */
      controller: z.union([httpsUrl.transform((url): readonly string[] => [url]), z.array(httpsUrl).min(1).readonly()]),
      addresses: z.array(z.union([z.ipv4(), z.ipv6()])).min(1),
      /** What it can serve, in any unit that is the same for all regions; without it, 100. */
      capacity: z.number().nonnegative().optional(),
    }),
  ),
  hooks: z
    .strictObject({
      /** Asked before an automatic failover begins, with the question as JSON on its standard input; any exit code but 0 is a veto, and what it says is the reason. */
      before_failover: z.strictObject({ program: z.string().startsWith('/'), args: z.array(z.string()).default([]) }).optional(),
    })
    .optional(),
  arbiter: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('etcd'),
      endpoints: z.array(httpsUrl).min(1),
      prefix: z.string().regex(/^\/.+\/$/, 'must begin and end with /'),
    }),
    z.strictObject({
      kind: z.literal('gcs'),
      bucket: z.string().min(3),
      prefix: z.string().regex(/^([A-Za-z0-9_-][A-Za-z0-9_.-]*\/)+$/, 'must be parts of A-Z a-z 0-9 _ - . that each end with /'),
      project: z.string().min(1).optional(),
      /** Another server than Google's; it gets no credentials. */
      endpoint: z.url({ protocol: /^https?$/ }).optional(),
    }),
  ]),
  dns: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('rfc2136'),
      server: z.union([z.ipv4(), z.ipv6()]),
      port: z.number().int().min(1).max(65535),
      zone: z.string().endsWith('.'),
      name: z.string().endsWith('.'),
      ttl_seconds: z.number().int().nonnegative(),
      tsig: z.strictObject({ name: z.string().endsWith('.'), algorithm: z.enum(['hmac-sha256', 'hmac-sha512']), secret_file: z.string() }),
    }),
    z.strictObject({
      kind: z.literal('cloud-dns'),
      project: z.string().min(1).optional(),
      /** Its name in the project, not its domain. */
      managed_zone: z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of the zone in the project, such as coditect-test'),
      name: z.string().endsWith('.'),
      ttl_seconds: z.number().int().nonnegative(),
      /** Another server than Google's; it gets no credentials. */
      endpoint: z.url({ protocol: /^https?$/ }).optional(),
    }),
  ]),
  tls: z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }),
  database: databaseConfigShape.default({ kind: 'embedded' }),
  data: z.strictObject({ path: z.string() }).optional(),
  backup: backupConfigShape.optional(),
  kubernetes: kubernetesConfigShape.optional(),
});
export type EngineConfig = z.infer<typeof configShape>;
