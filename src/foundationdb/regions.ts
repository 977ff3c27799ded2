/** Where the data of a cluster is to be: a primary, a remote that takes over, and for each a place that keeps its newest log. */
export interface TwoRegions {
  readonly primary: string;
  readonly remote: string;
  /** Keeps the log of whoever is primary, so that nothing is lost with it. */
  readonly satellite: string;
}

interface ConfiguredDataCenter {
  readonly id: string;
  readonly priority: number;
  readonly satellite?: 1 | undefined;
}

export interface ConfiguredRegion {
  readonly datacenters: readonly ConfiguredDataCenter[];
  readonly satellite_redundancy_mode: 'one_satellite_single' | 'one_satellite_double';
  readonly satellite_logs: number;
}

/**
 * The `regions` of `fdbcli fileconfigure`. The data centre with the higher priority is primary whenever it is whole and close behind: after it comes back from an outage the cluster
 * moves back to it by itself, a second interruption that nobody asked for (measured: 11 s after its return). Swapping the two is the planned move.
 */
export function regionsConfig({ primary, remote, satellite }: TwoRegions, satelliteCopies: 1 | 2): readonly ConfiguredRegion[] {
  const region = (id: string, priority: number): ConfiguredRegion => ({
    datacenters: [
      { id, priority },
      { id: satellite, priority: 1, satellite: 1 },
    ],
    satellite_redundancy_mode: satelliteCopies === 1 ? 'one_satellite_single' : 'one_satellite_double',
    satellite_logs: satelliteCopies,
  });
  return [region(primary, 1), region(remote, 0)];
}

/** Why FoundationDB would refuse these regions, or could not survive what they are for; empty when it would not. (`fdbcli` has the checks; who writes `\xff/conf` goes past them.) */
export function regionsProblems(regions: readonly ConfiguredRegion[]): readonly string[] {
  const problems: string[] = [];
  if (regions.length !== 2) problems.push(`${regions.length} regions: FoundationDB replicates between two`);
  const homes = regions.map(({ datacenters }) => datacenters.filter(({ satellite }) => satellite !== 1));
  for (const home of homes) if (home.length !== 1) problems.push('each region needs exactly one data centre that is no satellite');
  const ids = homes.flat().map(({ id }) => id);
  if (new Set(ids).size !== ids.length) problems.push(`${ids[0]} is named for both regions`);
  const satellites = regions.flatMap(({ datacenters }) => datacenters.filter(({ satellite }) => satellite === 1).map(({ id }) => id));
  for (const id of new Set(satellites))
    if (ids.includes(id)) problems.push(`satellite ${id} is a region's own data centre: it would be lost with it`);
  for (const { datacenters } of regions)
    if (!datacenters.some(({ satellite }) => satellite === 1))
      problems.push(`${datacenters[0]?.id ?? 'a region'} has no satellite: what it acknowledged last is lost with it`);
  const priorities = homes.flat().map(({ priority }) => priority);
  if (new Set(priorities).size !== priorities.length)
    problems.push('both regions have the same priority: which one is primary would be chance');
  return problems;
}
