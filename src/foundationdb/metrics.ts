import type { Clock } from '../platform/clock.ts';
import type { Sample } from '../telemetry/metrics.ts';
import type { ClusterMonitor } from './cluster-monitor.ts';
import { conditionOf, type Condition } from './cluster-view.ts';
import type { Gateway } from './gateway.ts';
import type { PairWatch } from './pair-watch.ts';

const CONDITIONS: readonly Condition['kind'][] = ['healthy', 'degraded', 'unavailable', 'unknown'];

type Labels = Readonly<Record<string, string>>;

const LAG = ['fdb_replication_lag_seconds', 'How far the remote region, or the copy of a pair (standby), is behind at most'] as const;

function gauge(name: string, help: string, value: number | null, labels?: Labels): readonly Sample[] {
  return value === null ? [] : [{ kind: 'gauge', name, help, value, ...(labels === undefined ? {} : { labels }) }];
}

const flag = (value: boolean | null): number | null => (value === null ? null : value ? 1 : 0);

/** Of the remote region, or of the copy where the configuration names a pair of clusters: of that whoever serves tells. */
function lagSamples(lag: ClusterMonitor['seen']['lag'], pair: PairWatch | null): readonly Sample[] {
  if (pair === null) return gauge(...LAG, lag?.seconds ?? null);
  const copy = { standby: pair.otherName, by: 'fdbdr' };
  const lagMs = pair.lagMs();
  return [
    ...gauge(...LAG, lagMs === null ? null : lagMs / 1000, copy),
    ...gauge('fdb_pair_copy_running', '1 while fdbdr keeps a whole copy in the other cluster of the pair', flag(pair.copyRuns), copy),
  ];
}

/** What a gateway shows at `/metrics` besides its requests. What the cluster's status does not tell is not shown: absent is neither 0 nor healthy. */
export function gatewaySamples(
  gateway: Gateway,
  monitor: ClusterMonitor,
  pair: PairWatch | null,
  dataCenters: readonly string[],
  clock: Clock,
): readonly Sample[] {
  const { view, lag, askedAtMs, misplaced } = monitor.seen;
  const own = 'coditect_dr_database';
  const condition = conditionOf(view, dataCenters).kind;
  return [
    ...gauge(`${own}_primary`, '1 while this region serves the database', gateway.role === 'primary' ? 1 : 0),
    ...gauge(`${own}_writable`, '1 while it serves', gateway.writable ? 1 : 0),
    ...gauge(`${own}_epoch`, 'Epoch that it serves or knows of', gateway.epoch),
    ...gauge(`${own}_lease_remaining_seconds`, 'How long it may serve without another renewal', (gateway.lease?.remainingMs() ?? 0) / 1000),
    ...gauge('fdb_status_age_seconds', 'Since the cluster was asked for the status that these are from', age(askedAtMs, clock)),
    ...lagSamples(lag, pair),
    ...CONDITIONS.flatMap((kind) =>
      gauge('fdb_cluster_condition', '1 for the condition that the cluster is in', kind === condition ? 1 : 0, { condition: kind }),
    ),
    ...gauge('fdb_database_available', '1 while the cluster serves', flag(view.available)),
    ...gauge('fdb_fully_replicated', '1 while all data has all its copies', flag(view.replicated)),
    ...gauge('fdb_database_locked', '1 while the database is locked', flag(view.locked)),
    ...gauge('fdb_logs_possibly_losing_data', '1 while logs are possibly losing data', flag(view.losingData)),
    ...gauge(
      'fdb_coordinator_problems',
      'Reasons why the coordinators would not survive the loss of a data centre',
      misplaced?.length ?? null,
    ),
    ...gauge('fdb_generation', 'Recoveries of the cluster so far', view.generation),
    ...gauge('fdb_zone_failures_until_unavailable', 'Zones that may fail before it stops', view.zoneFailures.withoutLosingAvailability),
    ...gauge('fdb_zone_failures_until_data_loss', 'Zones that may fail before data is lost', view.zoneFailures.withoutLosingData),
    ...dataCenters.flatMap((dc) => [
      ...gauge(
        'fdb_datacenter_processes',
        'Processes that the cluster has there',
        view.dataCenters?.get(dc)?.processes ?? zeroIfKnown(view.dataCenters),
        {
          datacenter: dc,
        },
      ),
      ...gauge(
        'fdb_datacenter_primary',
        '1 for the data centre of the transaction system',
        view.primaryDc === null ? null : view.primaryDc === dc ? 1 : 0,
        {
          datacenter: dc,
        },
      ),
    ]),
  ];
}

function age(askedAtMs: number | null, clock: Clock): number | null {
  return askedAtMs === null ? null : (clock.monotonicMs() - askedAtMs) / 1000;
}

function zeroIfKnown(known: unknown): number | null {
  return known === null ? null : 0;
}
