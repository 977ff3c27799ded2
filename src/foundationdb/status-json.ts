import { z } from 'zod';

/** The special key under which a client reads the status. */
export const STATUS_KEY = Buffer.from('\xff\xff/status/json', 'latin1');

/**
 * The parts of FoundationDB's status document (`\xff\xff/status/json`, `fdbcli --exec 'status json'`) that are judged here. Any field may be missing, most of all during the outage
 * that it would tell of, and its type may change between versions: whatever is not what is expected is taken for absent, never for a value.
 */
const maybe = <T extends z.ZodType>(shape: T) => shape.optional().catch(undefined);
const list = <T extends z.ZodType>(shape: T) => maybe(z.array(shape.nullable().catch(null)));
const table = <T extends z.ZodType>(shape: T) => maybe(z.record(z.string(), shape.nullable().catch(null)));

const role = z.object({
  role: maybe(z.string()),
  data_lag: maybe(z.object({ seconds: maybe(z.number()) })),
});
const processShape = z.object({
  address: maybe(z.string()),
  excluded: maybe(z.boolean()),
  locality: maybe(z.object({ dcid: maybe(z.string()), zoneid: maybe(z.string()), machineid: maybe(z.string()) })),
  roles: list(role),
  version: maybe(z.string()),
});

/** One that is not as expected makes the whole list unknown: regions are written back as they were read, with what else they have. */
const regionShape = z.looseObject({
  datacenters: z.array(z.looseObject({ id: z.string(), priority: z.number(), satellite: z.number().optional() })),
});
export type StatusRegion = z.infer<typeof regionShape>;

/** What the agents of fdbdr tell of themselves, about every 30 s; it goes away 120 s after the last of them has. */
const layerShape = z.object({ instances: table(z.unknown()), tags: table(z.object({ mutation_stream_id: maybe(z.string()) })) });

const clusterShape = z.object({
  active_primary_dc: maybe(z.string()),
  configuration: maybe(
    z.object({
      redundancy_mode: maybe(z.string()),
      usable_regions: maybe(z.number()),
      storage_engine: maybe(z.string()),
      regions: maybe(z.array(regionShape)),
    }),
  ),
  data: maybe(
    z.object({
      state: maybe(z.object({ name: maybe(z.string()), healthy: maybe(z.boolean()) })),
      team_trackers: list(
        z.object({
          primary: maybe(z.boolean()),
          state: maybe(z.object({ healthy: maybe(z.boolean()), min_replicas_remaining: maybe(z.number()) })),
          unhealthy_servers: maybe(z.number()),
        }),
      ),
    }),
  ),
  data_distribution_disabled: maybe(z.boolean()),
  data_distribution_disabled_for_ss_failures: maybe(z.boolean()),
  database_available: maybe(z.boolean()),
  database_lock_state: maybe(z.object({ locked: maybe(z.boolean()), lock_uid: maybe(z.string()) })),
  datacenter_lag: maybe(z.object({ seconds: maybe(z.number()) })),
  fault_tolerance: maybe(
    z.object({
      max_zone_failures_without_losing_availability: maybe(z.number()),
      max_zone_failures_without_losing_data: maybe(z.number()),
    }),
  ),
  full_replication: maybe(z.boolean()),
  generation: maybe(z.number()),
  /** `dr_backup`: agents that copy from this cluster; `dr_backup_dest`: those that copy to it. */
  layers: maybe(z.object({ dr_backup: maybe(layerShape), dr_backup_dest: maybe(layerShape) })),
  logs: list(z.object({ current: maybe(z.boolean()), possibly_losing_data: maybe(z.boolean()) })),
  maintenance_zone: maybe(z.string()),
  processes: table(processShape),
  recovery_state: maybe(z.object({ name: maybe(z.string()), active_generations: maybe(z.number()) })),
});

const statusShape = z.object({
  client: maybe(
    z.object({
      coordinators: maybe(
        z.object({
          quorum_reachable: maybe(z.boolean()),
          coordinators: list(z.object({ address: maybe(z.string()), reachable: maybe(z.boolean()) })),
        }),
      ),
      database_status: maybe(z.object({ available: maybe(z.boolean()) })),
      messages: list(z.object({ name: maybe(z.string()) })),
    }),
  ),
  cluster: maybe(clusterShape),
});
export type ClusterStatus = z.infer<typeof statusShape>;

/** For whoever waits for one. A client of another version than its servers hears nothing of them. */
export const NO_STATUS =
  'FoundationDB tells no status: are its servers, and a majority of its coordinators, there, and is fdbcli of their version?';

/** Null where the text is no JSON object: no answer (a client that gave up prints nothing at all) or half of one. */
export function parseStatus(text: string): ClusterStatus | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = statusShape.safeParse(json);
  return parsed.success ? parsed.data : null;
}
