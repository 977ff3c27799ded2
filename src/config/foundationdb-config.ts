import { normalize } from 'node:path';
import { z } from 'zod';

const region = z.string().min(1);
const program = (name: string) => z.string().min(1).default(name);

/** Which database a region's `database` program keeps or gives way to. Paths are relative to the configuration file. */
export const databaseConfigShape = z.discriminatedUnion('kind', [
  /** Its own, replicated by this engine, in `data.path`. */
  z.strictObject({ kind: z.literal('embedded') }),
  /** One FoundationDB cluster that all regions share and that replicates by itself. */
  z.strictObject({
    kind: z.literal('foundationdb'),
    /** Tried on real servers of 7.3.79 by its tests, and a few times only in game days: whoever uses it says so. */
    experimental: z.literal(
      true,
      'the way to FoundationDB has met real servers (7.3.79) in tests and a few game days only; with experimental: true it is used all the same, and it is not for production',
    ),
    /** The process must be able to write it: the client notes there when coordinators change. */
    cluster_file: z.string().min(1),
    /** Each region's data centre, as the servers' `locality_dcid` (`datacenter_id`) says. */
    data_centers: z.record(region, z.string().min(1), {
      error: ({ input }) =>
        input === undefined
          ? 'is missing: it must be a map of each region to its data centre, as locality_dcid of the servers says, such as { us-central1: dc1, us-east1: dc2 }'
          : undefined,
    }),
    /** What all keys begin with; two systems may share a cluster under different ones. */
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\/$/, 'letters, digits, . _ and -, then /')
      .default('coditect/'),
    /** Path of libfdb_c.so; without it, where the system's loader finds it. */
    client_library: z.string().startsWith('/').optional(),
    /** Where the cluster uses TLS. */
    tls: z.strictObject({ ca: z.string().min(1), cert: z.string().min(1), key: z.string().min(1) }).optional(),
    /** Two clusters of which one is kept as a copy of the other by fdbdr, by name; `cluster_file` is one of them, whichever is the primary. */
    pair: z
      .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, . _ and -'), z.string().min(1))
      .refine((clusters) => Object.keys(clusters).length === 2, 'a pair has two clusters')
      .optional(),
    /** Which cluster of the pair each region serves from: the service then moves with the pair, and a region's `cluster_file` is its own, whatever is written there. Without it all regions use `cluster_file`. */
    pair_homes: z.record(region, z.string().min(1)).optional(),
    /** What a pair with homes is moved with; of the clusters' version. */
    pair_programs: z.strictObject({ fdbcli: program('fdbcli'), fdbdr: program('fdbdr') }).optional(),
  }),
]);
export type DatabaseConfig = z.infer<typeof databaseConfigShape>;
export type FoundationdbConfig = Extract<DatabaseConfig, { kind: 'foundationdb' }>;

/** Its settings that the environment can override. */
export const DATABASE_SETTINGS = ['kind', 'cluster_file', 'prefix', 'client_library'] as const;

/** What is wrong with the pair; null when nothing is. */
export function pairProblem({ pair, cluster_file: file }: FoundationdbConfig): string | null {
  if (pair === undefined) return null;
  const files = Object.values(pair);
  const [one, other] = files.map((name) => normalize(name));
  if (one === other) return `both are ${one}`;
  return files.includes(file) ? null : `neither is database.cluster_file (${file}), written as it is there`;
}

/** What is wrong with the regions' clusters; empty when nothing is. */
export function pairHomeProblems({ pair = {}, pair_homes: homes }: FoundationdbConfig, regions: readonly string[]): readonly string[] {
  if (homes === undefined) return [];
  const names = Object.keys(pair);
  if (names.length === 0) return ['there is no pair (database.pair)'];
  const missing = regions.filter((name) => homes[name] === undefined);
  const strange = Object.keys(homes).filter((name) => !regions.includes(name));
  const unknown = Object.values(homes).filter((name) => !names.includes(name));
  const idle = names.filter((name) => !Object.values(homes).includes(name));
  return [
    ...(missing.length > 0 ? [`no cluster is given for ${missing.join(', ')}`] : []),
    ...(strange.length > 0 ? [`${strange.join(', ')}: not under regions (${regions.join(', ')})`] : []),
    ...(unknown.length > 0 ? [`${unknown.join(', ')}: not a cluster of the pair (${names.join(', ')})`] : []),
    ...(idle.length > 0 ? [`no region serves from ${idle.join(', ')}`] : []),
  ];
}

/** As this region sees it: `cluster_file` is that of its own cluster, where regions have their own. */
export function asSeenIn(region: string, database: DatabaseConfig): DatabaseConfig {
  if (database.kind !== 'foundationdb') return database;
  const own = database.pair?.[database.pair_homes?.[region] ?? ''];
  return own === undefined ? database : { ...database, cluster_file: own };
}

/** What is wrong with the data centres; empty when nothing is. Where regions have clusters of their own, one may have no servers. */
export function dataCenterProblems(
  { data_centers: placed, pair_homes: homes }: FoundationdbConfig,
  regions: readonly string[],
): readonly string[] {
  const missing = homes === undefined ? regions.filter((name) => placed[name] === undefined) : [];
  const strange = Object.keys(placed).filter((name) => !regions.includes(name));
  const ids = Object.values(placed);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  return [
    ...(missing.length > 0 ? [`no data centre is given for ${missing.join(', ')}`] : []),
    ...(strange.length > 0
      ? [`${strange.join(', ')} ${strange.length === 1 ? 'is' : 'are'} not under regions (${regions.join(', ')})`]
      : []),
    ...(twice === undefined ? [] : [`data centre ${twice} is given to two regions`]),
  ];
}
