import { isServing, viewOf, type ClusterView } from './cluster-view.ts';
import { chooseCoordinators } from './coordinator-choice.ts';
import { coordinatorsOf, isNamedByHost, lossesSurvived, placementProblems } from './coordinators.ts';
import { done, refused, wait, type Plan } from './follow-plan.ts';
import { homesOf, type Layout } from './layout.ts';
import { planRegionChange, type RegionStep } from './region-plan.ts';
import { NO_STATUS, type ClusterStatus } from './status-json.ts';

export type SetUpStep =
  | { readonly kind: 'create' }
  /** `before`: how many there are now. */
  | { readonly kind: 'coordinators'; readonly addresses: readonly string[]; readonly before: number }
  | { readonly kind: 'redundancy'; readonly mode: string }
  /** The regions of the layout, all but the first below zero: FoundationDB takes them so where there is data. */
  | { readonly kind: 'regions'; readonly first: string }
  | RegionStep;

export interface SetUp {
  readonly layout: Layout;
  /** The three that the engine's configuration names. */
  readonly dataCenters: readonly string[];
  /** A database may be made where the coordinators know of none. */
  readonly isNew: boolean;
}

const AS_LAID_OUT = done('the cluster is as the layout says, and all copies are there');
/** Machines of a data centre that `three_datacenter` puts copies on. */
const ZONES_EACH = 2;
const COPIES: Readonly<Record<string, number>> = { single: 1, double: 2, triple: 3 };
/** Of a configuration that could not be read just now nothing may be concluded, least of all that there is none. */
const NO_MODE = 'its status tells no redundancy mode: its configuration could not be read, or is none that has a name';

/**
 * The next step that brings a FoundationDB cluster into a layout, by what its status says now; nothing is remembered, so that whoever was interrupted asks again. Nothing is taken away on the way: a cluster in a
 * layout that has to be left first is refused with what to do.
 */
export function planSetUp(status: ClusterStatus | null, setUp: SetUp): Plan<SetUpStep> {
  const strange = dataCentersOf(setUp.layout).filter((dc) => !setUp.dataCenters.includes(dc));
  if (strange.length > 0)
    return refused(`the layout names ${strange.join(', ')}; the configuration has data_centers ${setUp.dataCenters.join(', ')}`);
  if (status === null) return wait(NO_STATUS);
  const missing = setUp.dataCenters.filter((dc) => zonesOf(status, dc).size === 0);
  if (missing.length > 0) return wait(`no process of ${missing.join(', ')} answers: start its servers${ifNobody(missing, setUp)}`);
  if (status.cluster?.recovery_state?.name === 'configuration_never_created') return create(status, setUp);
  const view = viewOf(status);
  if (!isServing(view)) return wait(`FoundationDB does not serve${view.recoveryState === null ? '' : ` (${view.recoveryState})`}`);
  if (view.locked !== false)
    return wait(view.locked === true ? `it is locked by ${view.lockUid ?? 'somebody'}` : 'its status does not tell whether it is locked');
  return (
    coordinators(status, setUp) ??
    (setUp.layout.kind === 'regions' ? regions(status, view, setUp.layout) : threeDataCenters(status, view, setUp))
  );
}

/** A client of another version than its servers hears nothing of them; a name that they do not have is one that nobody has. */
const ifNobody = (missing: readonly string[], { dataCenters }: SetUp): string =>
  missing.length < dataCenters.length
    ? ''
    : '. If they run: is fdbcli of their version, database.cluster_file that of their cluster, and are data_centers what they have as locality_dcid?';

function create(status: ClusterStatus, { layout, dataCenters, isNew }: SetUp): Plan<SetUpStep> {
  if (!isNew)
    return refused(
      'its coordinators know of no database. Is the cluster file of another cluster, or have the coordinators lost what they knew? Only if there has never been one: --new makes it',
    );
  return (layout.kind === 'regions' ? null : tooFewZones(status, dataCenters)) ?? { kind: 'do', step: { kind: 'create' } };
}

/** Null: they would survive the loss of any one data centre. */
function coordinators(status: ClusterStatus, { dataCenters }: SetUp): Plan<SetUpStep> | null {
  const present = coordinatorsOf(status);
  if (present === null) return wait('its status does not tell who coordinates');
  const problems = placementProblems(present);
  if (problems.length === 0) return null;
  // One that is away for a moment is none that has to be replaced.
  const away = present.filter(({ dc, reachable }) => dc === null && !reachable).map(({ address }) => address);
  if (away.length > 0)
    return wait(
      `coordinator ${away.join(', ')} does not answer: start it, or, if it never comes back, name others (fdbcli --exec 'coordinators …')`,
    );
  const addresses = chooseCoordinators(status, dataCenters);
  if (typeof addresses === 'string') return refused(`${problems.join('; ')}; and ${addresses}`);
  const hosts = present.map(({ address }) => address).filter(isNamedByHost);
  const byHand = `fdbcli --exec 'coordinators …'`;
  if (hosts.length > 0)
    return refused(
      `${problems.join('; ')}. They are named by host (${hosts.join(', ')}), which is not replaced by addresses here: name hosts of other machines (${byHand}); such as are at ${addresses.join(' ')}`,
    );
  const [before, after] = [lossesSurvived(present), Math.floor((addresses.length - 1) / 2)];
  if (after < before)
    return refused(
      `${problems.join('; ')}. There are machines for ${addresses.length} in three data centres, which survive the loss of ${after}, whichever; these ${present.length} survive that of ${before}: start servers on more machines, or name coordinators yourself (${byHand})`,
    );
  return { kind: 'do', step: { kind: 'coordinators', addresses, before: present.length } };
}

function threeDataCenters(status: ClusterStatus, view: ClusterView, { dataCenters }: SetUp): Plan<SetUpStep> {
  const { redundancy_mode: mode, regions: configured = [] } = status.cluster?.configuration ?? {};
  if (configured.length > 0)
    return refused(
      'it is configured in regions: drop one first (coditect-dr region drop), then take the regions away (fdbcli fileconfigure with "regions": [])',
    );
  if (mode === undefined) return wait(NO_MODE);
  if (mode === 'three_datacenter') return whole(view);
  return tooFewZones(status, dataCenters) ?? { kind: 'do', step: { kind: 'redundancy', mode: 'three_datacenter' } };
}

function regions(status: ClusterStatus, view: ClusterView, layout: Extract<Layout, { kind: 'regions' }>): Plan<SetUpStep> {
  const { redundancy_mode: mode, regions: configured = [] } = status.cluster?.configuration ?? {};
  const [first, second] = homesOf(layout.regions);
  if (first === undefined || second === undefined) return refused('the layout has no two regions');
  if (mode === undefined) return wait(NO_MODE);
  if (configured.length === 0) {
    if (mode.startsWith('three_'))
      return refused(
        `it is configured as ${mode}, with data in every data centre, and FoundationDB takes regions only where all data is in theirs: that move is not made here`,
      );
    if (mode !== layout.redundancy) return moreCopies(mode, layout.redundancy);
    return { kind: 'do', step: { kind: 'regions', first: first.id } };
  }
  if (placesOf(configured) !== placesOf(layout.regions))
    return refused(`it is configured with other regions: ${placesOf(configured)}, not ${placesOf(layout.regions)}`);
  if (mode !== layout.redundancy) return moreCopies(mode, layout.redundancy);
  // Which of the two is preferred now is the operator's, or FoundationDB's after a loss: it is no part of a set-up.
  const away = view.primaryDc === second.id ? first : second;
  const added = planRegionChange(status, { kind: 'add', dataCenter: away.id, acceptLoss: false });
  if (added.kind === 'done') return AS_LAID_OUT;
  return added.kind === 'refused' ? refused(added.why) : added;
}

function moreCopies(mode: string, wanted: string): Plan<SetUpStep> {
  if ((COPIES[mode] ?? Number.POSITIVE_INFINITY) < (COPIES[wanted] ?? 0)) return { kind: 'do', step: { kind: 'redundancy', mode: wanted } };
  return refused(
    `it is configured as ${mode}, and the layout as ${wanted}: copies would be taken away. Give the layout "redundancy_mode": "${mode}", or take them away first (fdbcli --exec 'configure ${wanted}')`,
  );
}

function dataCentersOf(layout: Layout): readonly string[] {
  return layout.kind === 'regions' ? [...new Set(layout.regions.flatMap(({ datacenters }) => datacenters.map(({ id }) => id)))] : [];
}

interface Region {
  readonly datacenters: readonly { readonly id: string; readonly satellite?: number | undefined }[];
  readonly satellite_redundancy_mode?: unknown;
  readonly satellite_logs?: unknown;
}

function placesOf(configured: readonly Region[]): string {
  const each = configured.map(({ datacenters, satellite_redundancy_mode: mode, satellite_logs: logs }) => {
    const places = datacenters.map(({ id, satellite }) => (satellite === 1 ? `satellite ${id}` : id)).toSorted();
    return `${places.join(' with ')} (${String(mode)}, satellite_logs ${String(logs)})`;
  });
  return each.toSorted().join(', ');
}

function whole(view: ClusterView): Plan<SetUpStep> {
  return view.replicated === true && view.recoveryState === 'fully_recovered' ? AS_LAID_OUT : wait('not all data has all its copies yet');
}

function tooFewZones(status: ClusterStatus, dataCenters: readonly string[]): Plan<SetUpStep> | null {
  const few = dataCenters.filter((dc) => zonesOf(status, dc).size < ZONES_EACH);
  return few.length === 0
    ? null
    : wait(`servers in at least ${ZONES_EACH} zones of ${few.join(', ')}: three_datacenter keeps two copies in each`);
}

function zonesOf({ cluster }: ClusterStatus, dc: string): ReadonlySet<string> {
  return new Set(
    Object.values(cluster?.processes ?? {}).flatMap((one) =>
      one === null || one.excluded === true || one.locality?.dcid !== dc || one.locality.zoneid === undefined ? [] : [one.locality.zoneid],
    ),
  );
}
