import { z } from 'zod';
import { templatesShape } from './dialect/template-shape.ts';

/** Whom a vantage measures. Files are the vantage's to read. */
const service = z.discriminatedUnion('kind', [
  /** The engine's contract, found by name. */
  z.strictObject({
    kind: z.literal('engine'),
    resolver: z.string(),
    resolverPort: z.number().int(),
    name: z.string(),
    port: z.number().int(),
    tls: z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }),
  }),
  /** Somebody's own, at an address. */
  z.strictObject({
    kind: z.literal('templates'),
    url: z.string(),
    templates: templatesShape,
    keyPrefix: z.string(),
    headers: z.record(z.string(), z.string()),
    tls: z.strictObject({ ca: z.string().exactOptional(), cert: z.string().exactOptional(), key: z.string().exactOptional() }),
  }),
]);
export type MeasuredService = z.infer<typeof service>;

/** What the runner tells a vantage: one `configure`, one `begin`, perhaps `delete-all`, one `stop`. NDJSON on stdin; its end means that the runner is gone. */
export const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('configure'),
    vantage: z.string(),
    vantages: z.array(z.string()),
    originNs: z.string(),
    service,
    periodMs: z.number().positive(),
    timeoutMs: z.number().positive(),
  }),
  /** Intended start of tick 0, on the run clock. */
  z.strictObject({ type: z.literal('begin'), startMs: z.number() }),
  z.strictObject({ type: z.literal('delete-all') }),
  z.strictObject({ type: z.literal('stop') }),
]);
export type VantageCommand = z.infer<typeof commandSchema>;
export type VantageConfig = Extract<VantageCommand, { type: 'configure' }>;

const operation = z.strictObject({
  seq: z.number().int().nonnegative(),
  op: z.enum(['put', 'get', 'delete']),
  key: z.string(),
  value: z.string().nullable(),
  intendedMs: z.number(),
  completedMs: z.number(),
  outcome: z.enum(['ok', 'failed', 'unknown']),
  lateMs: z.number().exactOptional(),
  awakeMs: z.number().exactOptional(),
  dnsMs: z.number(),
  address: z.string().exactOptional(),
  claimedRegion: z.string().exactOptional(),
  claimedEpoch: z.number().exactOptional(),
  reason: z.string().exactOptional(),
});

/** What a vantage tells the runner. NDJSON on stdout. */
export const reportSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  operation.extend({ type: z.literal('op') }),
  z.strictObject({ type: z.literal('dns'), addresses: z.array(z.string()) }),
  /** Every unique key that it had written, but the youngest, was asked to be deleted, and is answered. */
  z.strictObject({ type: z.literal('deleted-all'), deletes: z.number().int() }),
  /** Everything that was sent is accounted for. `scheduledFirst`: whether it ran before what it measured (scheduled-first.ts). */
  z.strictObject({ type: z.literal('finished'), issued: z.number().int(), scheduledFirst: z.boolean() }),
]);
export type VantageReport = z.infer<typeof reportSchema>;
