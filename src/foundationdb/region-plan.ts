import { isServing, viewOf, type ClusterView } from './cluster-view.ts';
import { done, refused, wait, type Plan } from './follow-plan.ts';
import { NO_STATUS, type ClusterStatus, type StatusRegion } from './status-json.ts';

/** What is to become of one of the two regions: `add`: it has the data again; `prefer`: the database is there; `drop`: the database goes on without it. */
export interface RegionChange {
  readonly kind: 'add' | 'prefer' | 'drop';
  readonly dataCenter: string;
  /** `drop` of a region that is lost: also where FoundationDB cannot say that the other one has everything. */
  readonly acceptLoss: boolean;
}

/** Options of `fdbcli` that change one thing; FoundationDB refuses to change priorities and `usable_regions` at once. */
export type RegionStep =
  | { readonly kind: 'priorities'; readonly regions: readonly StatusRegion[]; readonly priorities: Priorities; readonly unchecked: boolean }
  | { readonly kind: 'usable-regions'; readonly count: 1 | 2; readonly unchecked: boolean };
type Priorities = Readonly<Record<string, number>>;

/** `isLost`: refused for as long as the region is lost. */
export type RegionPlan = Plan<RegionStep> & { readonly isLost?: true };

const [FIRST, SECOND, AWAY] = [1, 0, -1];
const NEEDS_NO_OLD_LOG: readonly (string | null)[] = ['storage_recovered', 'fully_recovered'];

/**
 * The next step of a change, by what the status says now. How far it has come stands in FoundationDB's own configuration, and nowhere else: whoever was interrupted, or somebody else, goes on by asking again.
 *
 * Of two regions that are usable, each has all the data; the one with the higher priority is where the database is, as soon as it is whole; one below zero gets the data and never becomes it.
 */
export function planRegionChange(status: ClusterStatus | null, { kind, dataCenter, acceptLoss }: RegionChange): RegionPlan {
  if (status === null) return wait(NO_STATUS);
  const view = viewOf(status);
  if (!isServing(view) || view.primaryDc === null || view.usableRegions === null)
    return wait('FoundationDB does not serve, or does not say where');
  if (view.locked !== false)
    return wait(view.locked === true ? `it is locked by ${view.lockUid ?? 'somebody'}` : 'its status does not tell whether it is locked');
  const unseen = whyUnseen(status);
  if (unseen !== null) return wait(unseen);
  const regions = status.cluster?.configuration?.regions ?? [];
  const homes = regions.flatMap(({ datacenters }) => datacenters.filter(({ satellite }) => satellite !== 1));
  const other = homes.find(({ id }) => id !== dataCenter);
  const own = homes.find(({ id }) => id === dataCenter);
  if (regions.length === 0) return refused('it is not configured in regions (in three_datacenter each has all the data by itself)');
  if (own === undefined || other === undefined || homes.length !== 2)
    return refused(`${dataCenter} is none of two regions that it is configured with: ${homes.map(({ id }) => id).join(', ')}`);
  const now: Now = { status, view, regions, own, other, primary: view.primaryDc, usable: view.usableRegions, acceptLoss };
  return { add, prefer, drop }[kind](now);
}

interface Home {
  readonly id: string;
  readonly priority: number;
}

interface Now {
  readonly status: ClusterStatus;
  readonly view: ClusterView;
  readonly regions: readonly StatusRegion[];
  /** The one that is to be changed. */
  readonly own: Home;
  readonly other: Home;
  readonly primary: string;
  readonly usable: number;
  readonly acceptLoss: boolean;
}

function add(now: Now): RegionPlan {
  const { own, other, primary, usable } = now;
  const usableAlready = usable === 2 && own.priority >= 0;
  if (!usableAlready && primary === own.id) return refused(`the database is in ${own.id}`);
  const missing = missingFor(now);
  if (missing !== null) return refused(missing);
  if (usableAlready)
    return isCopied(now)
      ? done(`${own.id} has all the data and takes over when the other region is lost`)
      : wait(`not all of ${own.id} has all its copies yet${failing(now)}`);
  if (usable === 1 && (own.priority !== AWAY || other.priority !== FIRST)) return prioritise(now, { [other.id]: FIRST, [own.id]: AWAY });
  if (usable === 1) return { kind: 'do', step: { kind: 'usable-regions', count: 2, unchecked: false } };
  if (!isCopied(now)) return wait(`FoundationDB copies the data to ${own.id}${failing(now)}`);
  return prioritise(now, { [other.id]: FIRST, [own.id]: SECOND });
}

function prefer(now: Now): RegionPlan {
  const { view, own, other, primary, usable } = now;
  if (usable !== 2 || own.priority < 0) return refused(`${own.id} is not usable: add it first`);
  const preferred = own.priority > other.priority;
  if (preferred && primary === own.id && view.recoveryState === 'fully_recovered') return done(`the database is in ${own.id}`);
  const missing = missingFor(now);
  if (missing !== null) return refused(missing);
  if (preferred) return wait(`FoundationDB goes over to ${own.id}`);
  if (!isCopied(now)) return wait(`not all of ${own.id} has all its copies yet${failing(now)}`);
  return prioritise(now, { [own.id]: FIRST, [other.id]: SECOND });
}

function drop(now: Now): RegionPlan {
  const { status, view, own, other, primary, usable, acceptLoss } = now;
  if (primary === own.id)
    return refused(`the database is in ${own.id}; ${usable === 2 ? `prefer ${other.id} first` : 'there is no other that has its data'}`);
  if (primary !== other.id) return wait(`the database is in ${primary}, not in ${other.id}`);
  if (usable === 1 && own.priority < 0)
    return NEEDS_NO_OLD_LOG.includes(view.recoveryState)
      ? done(`the database goes on without ${own.id}, in one region alone`)
      : wait('FoundationDB has not done yet without the logs of before, some of which are on the satellite');
  const dcs = Object.values(status.cluster?.processes ?? {}).map((one) => one?.locality?.dcid);
  if (!dcs.includes(other.id)) return wait(`its status names no processes of ${other.id}`);
  // FoundationDB wants enough processes in both regions for any change, excluded or not; of one that is lost, which this is for, there are none.
  const unchecked = !dcs.includes(own.id);
  if (usable === 2 && unchecked && !acceptLoss) return { ...refused(whyConsent(now)), isLost: true };
  if (usable === 2 && !hasItsCopies(now, unchecked))
    return wait(`FoundationDB does not say that ${other.id} has all its own copies${failing(now)}`);
  if (own.priority !== AWAY || other.priority < 0) return prioritise(now, { [other.id]: FIRST, [own.id]: AWAY }, unchecked);
  return { kind: 'do', step: { kind: 'usable-regions', count: 1, unchecked } };
}

/** Without the other region it has to have everything by itself. The state as a whole speaks of both, and the primary tracker is of the region with the higher priority (`initDcInfo`), wherever the database is. */
function hasItsCopies({ status, own, other }: Now, ownIsLost: boolean): boolean {
  const trackers = trackersOf(status);
  const isPrimary = other.priority > own.priority;
  const its = trackers.filter((tracker) => own.priority === other.priority || tracker?.primary === isPrimary);
  if (its.length > 0) return its.every(isWhole);
  // The distributors do not come to begin again while a region is lost (`remoteRecovered`), so nothing will be told of any. The database went to where all had been copied, as only that may become its place.
  return ownIsLost && trackers.length === 0 && status.cluster?.data?.state?.name === 'initializing';
}

/** Nobody can tell then whether something has lost its last copy in the region that is left. */
function whyConsent({ own, other }: Now): string {
  return `no process of ${own.id} answers, and FoundationDB cannot say what only that region has any more. Start its servers, or, if it never comes back, let ${other.id} go on with what it has: --accept-data-loss=any`;
}

/** Two distributors say so, one a region; `full_replication` alone may be of the time before. */
function isCopied({ status, view }: Now): boolean {
  const trackers = trackersOf(status);
  return view.replicated === true && trackers.length === 2 && trackers.every(isWhole);
}

const trackersOf = (status: ClusterStatus) => status.cluster?.data?.team_trackers ?? [];

/** Where no team of a region is whole nothing is moved, and its tracker is told as healthy (Status.actor.cpp: `highestPriority = movingHighestPriority`); servers that failed are counted all the same. */
function isWhole(tracker: ReturnType<typeof trackersOf>[number]): boolean {
  return tracker?.state?.healthy === true && tracker.unhealthy_servers === 0;
}

/** What is known of why not. */
function failing({ status }: Now): string {
  const trackers = trackersOf(status);
  if (trackers.length === 0 && status.cluster?.data?.state?.name === 'initializing')
    return ' (data distribution has not begun: it takes half a minute, and does not begin while a region has too few servers)';
  const count = trackers.reduce((sum, tracker) => sum + (tracker?.unhealthy_servers ?? 0), 0);
  return count === 0 ? '' : ` (${count} storage servers have failed, or are being emptied: excluded, or by perpetual_storage_wiggle)`;
}

/** What makes trackers healthy that nobody looks after (DataDistribution.actor.cpp writes them by hand), or servers that failed (DDTeamCollection.actor.cpp). */
function whyUnseen({ cluster }: ClusterStatus): string | null {
  if (cluster?.data_distribution_disabled === true) return 'data distribution is off (fdbcli: datadistribution on)';
  if (cluster?.data_distribution_disabled_for_ss_failures === true || cluster?.maintenance_zone !== undefined)
    return 'FoundationDB is told to overlook servers that fail (fdbcli: maintenance off, datadistribution enable ssfailure)';
  // Told together with these, or not at all.
  return cluster?.full_replication === undefined ? 'its status does not tell of replication' : null;
}

/** A commit of two regions waits for the satellite: without one nothing would be written any more. */
function missingFor({ view, regions, own }: Now): string | null {
  const there = (dc: string): boolean => (view.dataCenters?.get(dc)?.processes ?? 0) > 0;
  if (!there(own.id)) return `no process of ${own.id} answers: start its servers first`;
  for (const { datacenters } of regions) {
    const satellites = datacenters.filter(({ satellite }) => satellite === 1).map(({ id }) => id);
    if (satellites.length > 0 && !satellites.some(there))
      return `no process of the satellite ${satellites.join(', ')} answers: start its servers first, commits of two regions wait for it`;
  }
  return null;
}

function prioritise({ regions }: Now, priorities: Priorities, unchecked = false): RegionPlan {
  const changed = regions.map((region) => ({
    ...region,
    datacenters: region.datacenters.map((one) => (one.satellite === 1 ? one : { ...one, priority: priorities[one.id] ?? one.priority })),
  }));
  return { kind: 'do', step: { kind: 'priorities', regions: changed, priorities, unchecked } };
}
