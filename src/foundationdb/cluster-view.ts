import type { ClusterStatus } from './status-json.ts';

/**
 * What a status document says, each part either known or null: absent is neither healthy nor failed. `full_replication` and `database_available` go on saying true when a data
 * centre is gone (measured on 7.3.79), so what is there is counted.
 */
export interface ClusterView {
  /** False: the coordinators or the cluster controller are out of reach, or the cluster says that it does not serve. */
  readonly available: boolean | null;
  readonly recoveryState: string | null;
  readonly generation: number | null;
  readonly primaryDc: string | null;
  readonly lockUid: string | null;
  readonly locked: boolean | null;
  readonly lagSeconds: number | null;
  /** All data has all its copies, in every region, as the data distributors see it. */
  readonly replicated: boolean | null;
  readonly losingData: boolean;
  /** Null: no process is known. */
  readonly dataCenters: ReadonlyMap<string, DataCenter> | null;
  readonly zoneFailures: { readonly withoutLosingAvailability: number | null; readonly withoutLosingData: number | null };
  readonly usableRegions: number | null;
  readonly redundancyMode: string | null;
  /** Names of what the client complains about: `quorum_not_reachable`, `unreachable_cluster_controller`, … */
  readonly complaints: readonly string[];
}

export interface DataCenter {
  readonly processes: number;
  readonly storage: number;
  readonly logs: number;
}

export const NOTHING_KNOWN: ClusterView = viewOf({});

export function viewOf({ client, cluster }: ClusterStatus): ClusterView {
  const tolerance = cluster?.fault_tolerance;
  return {
    available: availability({ client, cluster }),
    recoveryState: cluster?.recovery_state?.name ?? null,
    generation: cluster?.generation ?? null,
    primaryDc: cluster?.active_primary_dc ?? null,
    locked: cluster?.database_lock_state?.locked ?? null,
    lockUid: cluster?.database_lock_state?.lock_uid ?? null,
    lagSeconds: cluster?.datacenter_lag?.seconds ?? null,
    replicated: replication(cluster),
    losingData: (cluster?.logs ?? []).some((log) => log?.possibly_losing_data === true),
    dataCenters: dataCentersOf(cluster),
    zoneFailures: {
      withoutLosingAvailability: tolerance?.max_zone_failures_without_losing_availability ?? null,
      withoutLosingData: tolerance?.max_zone_failures_without_losing_data ?? null,
    },
    usableRegions: cluster?.configuration?.usable_regions ?? null,
    redundancyMode: cluster?.configuration?.redundancy_mode ?? null,
    complaints: (client?.messages ?? []).flatMap((message) => (message?.name === undefined ? [] : [message.name])),
  };
}

function availability({ client, cluster }: ClusterStatus): boolean | null {
  const said = [client?.coordinators?.quorum_reachable, client?.database_status?.available, cluster?.database_available];
  if (said.includes(false)) return false;
  // The client's word is the end-to-end one; without it nothing is known.
  return client?.database_status?.available ?? null;
}

function replication(cluster: ClusterStatus['cluster']): boolean | null {
  const trackers = cluster?.data?.team_trackers;
  const said = [cluster?.full_replication, cluster?.data?.state?.healthy, ...(trackers ?? []).map((tracker) => tracker?.state?.healthy)];
  if (said.includes(false)) return false;
  return said.includes(undefined) || trackers === undefined || trackers.length === 0 ? null : true;
}

function dataCentersOf(cluster: ClusterStatus['cluster']): ClusterView['dataCenters'] {
  if (cluster?.processes === undefined) return null;
  const found = new Map<string, DataCenter>();
  for (const one of Object.values(cluster.processes)) {
    const dc = one?.locality?.dcid;
    if (one === null || dc === undefined || one.excluded === true) continue;
    const before = found.get(dc) ?? { processes: 0, storage: 0, logs: 0 };
    const has = (name: string): number => ((one.roles ?? []).some((role) => role?.role === name) ? 1 : 0);
    found.set(dc, { processes: before.processes + 1, storage: before.storage + has('storage'), logs: before.logs + has('log') });
  }
  return found;
}

export type Condition =
  /** Serves, and has every copy it is configured to have. */
  | { readonly kind: 'healthy' }
  /** Serves with less redundancy than configured, or is on its way there. */
  | { readonly kind: 'degraded'; readonly why: readonly string[] }
  /** Does not serve now. FoundationDB recovers by itself where enough of it is left: to be waited for. */
  | { readonly kind: 'unavailable'; readonly why: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: readonly string[] };

/** The state in which the transaction system is whole again; earlier ones may already accept commits. */
const RECOVERED = 'fully_recovered';
const SERVING: readonly string[] = ['accepting_commits', 'all_logs_recruited', 'storage_recovered', RECOVERED];

/** Whether commits are accepted as far as its recovery tells. */
export function mayServe({ recoveryState }: ClusterView): boolean {
  return recoveryState !== null && SERVING.includes(recoveryState);
}

/** Whether it serves, by its own word and the client's. */
export function isServing(view: ClusterView): boolean {
  return view.available === true && mayServe(view);
}

/** How the cluster is, with the data centres that it is to have. */
export function conditionOf(view: ClusterView, expectedDcs: readonly string[]): Condition {
  if (view.available === false)
    return { kind: 'unavailable', why: view.complaints.length > 0 ? view.complaints : ['the database does not serve'] };
  if (view.recoveryState !== null && !SERVING.includes(view.recoveryState))
    return { kind: 'unavailable', why: [`recovering: ${view.recoveryState}`] };
  const missing = view.dataCenters === null ? [] : expectedDcs.filter((dc) => !view.dataCenters?.has(dc));
  const why = [
    ...missing.map((dc) => `no process of data centre ${dc}`),
    ...(view.recoveryState !== null && view.recoveryState !== RECOVERED ? [`recovery is at ${view.recoveryState}`] : []),
    ...(view.replicated === false ? ['not all data has all its copies'] : []),
    ...(view.losingData ? ['logs are possibly losing data'] : []),
    ...(view.locked === true ? [`locked by ${view.lockUid ?? 'somebody'}`] : []),
  ];
  if (why.length > 0) return { kind: 'degraded', why };
  const unknown = [
    ...(view.available === null ? ['whether it serves'] : []),
    ...(view.recoveryState === null ? ['its recovery'] : []),
    ...(view.replicated === null ? ['its replication'] : []),
    ...(view.dataCenters === null ? ['its processes'] : []),
  ];
  return unknown.length > 0 ? { kind: 'unknown', why: [`status does not tell ${unknown.join(', ')}`] } : { kind: 'healthy' };
}

/**
 * Whether a data centre could carry the service with everything that was acknowledged. A satellite of two regions, which by its configuration has logs and no storage, could, from afar: without that a whole
 * cluster of two regions would never be told as one. Null: not known.
 */
export function isWhole(view: ClusterView, dc: string): boolean | null {
  if (view.available === false || view.replicated === false || view.losingData) return false;
  if (view.recoveryState !== null && view.recoveryState !== RECOVERED) return false;
  if (view.dataCenters === null) return null;
  const { storage, logs } = view.dataCenters.get(dc) ?? { storage: 0, logs: 0 };
  if (storage === 0 && (view.usableRegions !== 2 || logs === 0)) return false;
  return view.available === null || view.replicated === null || view.recoveryState === null ? null : true;
}

/**
 * Whether the service may be moved to a data centre. Where another one is away (`away`: those that were there once, and are to be), nothing is whole before it is back or given up: then it is
 * enough that the cluster serves and that this one has storage, since what is not copied there is read from elsewhere and nothing can be lost by moving. Null: not known.
 */
export function canTake(view: ClusterView, dc: string, away: ReadonlyMap<string, number>): boolean | null {
  const whole = isWhole(view, dc);
  if (whole !== false || view.usableRegions === 2 || view.available !== true || view.losingData) return whole;
  if (!mayServe(view)) return false;
  return (view.dataCenters?.get(dc)?.storage ?? 0) > 0 && away.size > 0;
}
