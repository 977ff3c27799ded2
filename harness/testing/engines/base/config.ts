import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, isMap, isScalar, parse, parseDocument, visit } from 'yaml';
import { z } from 'zod';

/** Bad input: the program prints `message` (file:line:column: what to do) and ends with exit code 2. */
export class BadConfig extends Error {}

/** The numbers of the policy that this engine needs; both presets of the contract. */
const LAB = {
  probePeriodMs: 100,
  probeTimeoutMs: 150,
  suspectAfterMs: 600,
  confirmMs: 300,
  leaseRenewMs: 200,
  holderStopsMs: 1300,
  successorWaitsMs: 1600,
  arbiterRpcMs: 100,
  leaderRenewMs: 200,
  leaderTakeoverMs: 700,
  appendTimeoutMs: 300,
  syncDropAfterMs: 500,
  stepTimeoutMs: 10_000,
};
export type Policy = typeof LAB;
const PRESETS: Readonly<Record<'lab' | 'production', Policy>> = {
  lab: LAB,
  production: {
    probePeriodMs: 1000,
    probeTimeoutMs: 900,
    suspectAfterMs: 5000,
    confirmMs: 10_000,
    leaseRenewMs: 2000,
    holderStopsMs: 12_000,
    successorWaitsMs: 16_000,
    arbiterRpcMs: 1000,
    leaderRenewMs: 2000,
    leaderTakeoverMs: 7000,
    appendTimeoutMs: 2000,
    syncDropAfterMs: 4000,
    stepTimeoutMs: 120_000,
  },
};

const preset = z.enum(['lab', 'production']);
const policy = z.union([preset, z.looseObject({ preset })]).transform((given): Policy => {
  if (typeof given === 'string') return PRESETS[given];
  return { ...PRESETS[given.preset], ...given };
});

const urls = { api: z.url(), database: z.url(), controller: z.url(), addresses: z.array(z.string()).min(1) };
const tsig = z.strictObject({ name: z.string(), algorithm: z.enum(['hmac-sha256', 'hmac-sha512']), secret_file: z.string() });
const shape = z.strictObject({
  region: z.string().min(1),
  primary_region: z.string().min(1),
  standby_regions: z.array(z.string()).min(1),
  rpo_seconds: z.number().nonnegative(),
  rto_seconds: z.number().positive(),
  backup_retention_days: z.number().int().positive(),
  policy,
  replication: z.enum(['sync', 'async']),
  listen: z.strictObject({ host: z.string(), port: z.number().int().min(0).max(65535) }),
  regions: z.record(z.string(), z.strictObject(urls)),
  arbiter: z.strictObject({ kind: z.literal('etcd'), endpoints: z.array(z.url()).min(1), prefix: z.string() }),
  dns: z.strictObject({
    kind: z.literal('rfc2136'),
    server: z.string(),
    port: z.number().int(),
    zone: z.string(),
    name: z.string(),
    ttl_seconds: z.number().int().nonnegative(),
    tsig,
  }),
  tls: z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }),
  data: z.strictObject({ path: z.string() }).optional(),
});
/** The engine configuration of ARCHITECTURE §3, with every path absolute. */
export type Config = z.infer<typeof shape>;

/**
 * Reads the configuration file and lays `CODITECT_DR_<UPPER_SNAKE>` over its scalars.
 * @throws BadConfig with all problems, one `file:line:column: …` a line.
 */
export function loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): Config {
  const lines = new LineCounter();
  const text = read(file);
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0)
    throw new BadConfig(document.errors.map((e) => `${at(e.pos[0])}: ${e.message.split('\n')[0]}`).join('\n'));
  visit(document, {
    Pair: (_key, pair, path) => {
      const keys = [
        ...path.flatMap((node) => ('key' in node && isScalar(node.key) ? [node.key.value] : [])),
        isScalar(pair.key) && pair.key.value,
      ];
      const given = env[`CODITECT_DR_${keys.join('_').replaceAll('-', '_').toUpperCase()}`];
      if (given !== undefined && isScalar(pair.value)) pair.value.value = parse(given);
    },
  });
  const decoded = shape.safeParse(document.toJS());
  if (!decoded.success) {
    const place = (path: readonly PropertyKey[], unknownKeys: readonly string[] = []): string => {
      for (let n = path.length; n >= 0; n--) {
        const node = n === 0 ? document.contents : document.getIn(path.slice(0, n), true);
        const culprit = isMap(node)
          ? node.items.find((pair) => isScalar(pair.key) && unknownKeys.includes(String(pair.key.value)))?.key
          : undefined;
        const range = ((culprit ?? node) as { range?: readonly number[] } | undefined)?.range;
        if (range?.[0] !== undefined) return at(range[0]);
      }
      return at(0);
    };
    const line = (issue: z.core.$ZodIssue): string =>
      `${place(issue.path, issue.code === 'unrecognized_keys' ? issue.keys : [])}: ${issue.path.join('.') || 'configuration'}: ${issue.message}`;
    throw new BadConfig(decoded.error.issues.map(line).join('\n'));
  }
  if (!(decoded.data.region in decoded.data.regions))
    throw new BadConfig(`${at(0)}: region "${decoded.data.region}" is not one of regions`);
  return absolute(decoded.data, dirname(resolve(file)));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new BadConfig(`${file}:1:1: cannot be read: ${(cause as Error).message}`);
  }
}

function absolute(config: Config, folder: string): Config {
  const path = (name: string): string => resolve(folder, name);
  const { ca, cert, key } = config.tls;
  return {
    ...config,
    tls: { ca: path(ca), cert: path(cert), key: path(key) },
    dns: { ...config.dns, tsig: { ...config.dns.tsig, secret_file: path(config.dns.tsig.secret_file) } },
    ...(config.data ? { data: { path: path(config.data.path) } } : {}),
  };
}
