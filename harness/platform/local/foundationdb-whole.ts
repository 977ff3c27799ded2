import { z } from 'zod';
import { podsOf, type Topology } from './topology.ts';

/** One distributor of each usable region tells this of the region's own copies. */
const trackerShape = z.object({ state: z.object({ healthy: z.boolean(), name: z.string().optional() }), unhealthy_servers: z.number() });

const statusShape = z.object({
  cluster: z.object({
    processes: z.record(z.string(), z.object({ locality: z.object({ dcid: z.string() }).partial() }).partial()),
    recovery_state: z.object({ name: z.string() }),
    full_replication: z.boolean(),
    data: z.object({
      state: z.object({ healthy: z.boolean(), name: z.string().optional() }),
      team_trackers: z.array(trackerShape).default([]),
    }),
  }),
});
type Cluster = z.infer<typeof statusShape>['cluster'];

/** Told as healthy, and means that the other region has not got all data (Status.actor.cpp, 7.3). */
const POPULATING = 'healthy_populating_region';

/** What a status document says, or does not say, that keeps the cluster from being whole; null: nothing. `regions`: those that it is in. Pure. */
export function whatIsMissing(status: unknown, topology: Topology, regions: readonly string[] = topology.regions): string | null {
  const decoded = statusShape.safeParse(status);
  if (!decoded.success) return `its status does not tell ${decoded.error.issues[0]?.path.join('.') ?? 'anything'}`;
  const { cluster } = decoded.data;
  const running = Object.values(cluster.processes).map(({ locality }) => locality?.dcid);
  const short = regions.filter((region) => running.filter((dc) => dc === region).length < podsOf(topology, 'fdb', region).length);
  if (short.length > 0) return `not all servers of ${short.join(', ')} are there`;
  if (cluster.recovery_state.name !== 'fully_recovered') return `recovery is at ${cluster.recovery_state.name}`;
  return copiesMissing(cluster, topology.foundationdb === 'two_regions' ? 2 : 1);
}

/**
 * `data.state` is of the primary region alone. Of two regions the other one may still be without data then; it cannot be failed over to, and FoundationDB waits for the region that it lost (measured on
 * 7.3.79: nothing served for 37 s, until the lost region was back).
 */
function copiesMissing(
  { full_replication: everywhere, data: { state, team_trackers: trackers } }: Cluster,
  usableRegions: number,
): string | null {
  const bad = [state, ...trackers.map((tracker) => tracker.state)].find(({ healthy, name }) => !healthy || name === POPULATING);
  if (bad !== undefined) return `data is ${bad.name ?? 'not healthy'}`;
  if (!everywhere) return 'data is not in all regions';
  if (trackers.length < usableRegions) return `${trackers.length} of ${usableRegions} data distributors tell of their region`;
  // Where no team is whole nothing is moved, and a tracker is told as healthy.
  const failed = trackers.reduce((sum, { unhealthy_servers: count }) => sum + count, 0);
  return failed === 0 ? null : `${failed} storage servers have failed`;
}
