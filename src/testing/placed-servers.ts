import { parseStatus, type ClusterStatus } from '../foundationdb/status-json.ts';

/** Servers of FoundationDB in three data centres, and what tests have a cluster of them say. */

export const DCS = ['dc1', 'dc2', 'dc3'] as const;

/** A layout of two regions, with a satellite in dc3. */
export const REGIONS_FILE = JSON.stringify({
  regions: [
    { datacenters: [home('dc1', 1), satellite('dc3')], satellite_redundancy_mode: 'one_satellite_double', satellite_logs: 2 },
    { datacenters: [home('dc2', 0), satellite('dc3')], satellite_redundancy_mode: 'one_satellite_double', satellite_logs: 2 },
  ],
});

function home(id: string, priority: number): object {
  return { id, priority };
}
function satellite(id: string): object {
  return { id, priority: 1, satellite: 1 };
}

export interface Server {
  readonly dc: string;
  readonly machine?: string;
  readonly zone?: string;
}

export const address = (n: number): string => `10.0.0.${n}:4500`;
/** `dc1 dc1 dc2`: a server each, every one on a machine and in a zone of its own. */
export const servers = (places: string): readonly Server[] => places.split(' ').map((dc) => ({ dc }));
export const SIX = servers('dc1 dc1 dc2 dc2 dc3 dc3');

/** What a cluster of these servers says, with its coordinators on some of them, and some away. */
export function status(
  cluster: object,
  coordinators: readonly number[] = [0, 2, 4],
  of: readonly Server[] = SIX,
  away: readonly number[] = [],
): ClusterStatus {
  const processes = Object.fromEntries(
    of.flatMap(({ dc, machine, zone }, n) =>
      away.includes(n)
        ? []
        : [[`p${n}`, { address: address(n), locality: { dcid: dc, machineid: machine ?? `m${n}`, zoneid: zone ?? `z${n}` } }]],
    ),
  );
  const listed = coordinators.map((n) => ({ address: address(n), reachable: !away.includes(n) }));
  const parsed = parseStatus(
    JSON.stringify({
      client: { coordinators: { coordinators: listed, quorum_reachable: true }, database_status: { available: true } },
      cluster: { processes, ...cluster },
    }),
  );
  if (parsed === null) throw new Error('no status');
  return parsed;
}
