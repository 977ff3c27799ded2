import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { Sample } from '../telemetry/metrics.ts';
import type { DatabaseNode } from './node.ts';

/** What a database shows at `/metrics` besides its requests. */
export function databaseSamples(node: DatabaseNode, database: Database, clock: Clock): readonly Sample[] {
  const { log, commitIndex, durableIndex, baseIndex, sealedEpoch } = database.state();
  const gauge = (name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): Sample => ({
    kind: 'gauge',
    name: `coditect_dr_database_${name}`,
    help,
    value,
    ...(labels === undefined ? {} : { labels }),
  });
  const upstream = node.primary === null ? node.standby.upstream : null;
  return [
    gauge('primary', '1 while this database is primary', node.primary === null ? 0 : 1),
    gauge('writable', '1 while it serves', node.writable ? 1 : 0),
    gauge('epoch', 'Epoch that it serves or knows of', node.epoch),
    gauge('sealed_epoch', 'Lower epochs are refused', sealedEpoch),
    gauge('lease_remaining_seconds', 'How long it may serve without another renewal', (node.lease?.remainingMs() ?? 0) / 1000),
    gauge('last_index', 'End of the log', log.index),
    gauge('durable_index', 'End of the log on the disk', durableIndex),
    gauge('commit_index', 'End of what is committed', commitIndex),
    gauge('log_entries', 'Entries kept in the log', log.index - baseIndex),
    ...(upstream === null
      ? []
      : [gauge('upstream_age_seconds', 'Since the primary was heard', (clock.monotonicMs() - upstream.heardAtMs) / 1000)]),
    ...Object.entries(node.primary?.standbys() ?? {}).flatMap(([standby, { lagEntries, lagMs, ageMs, inSync }]) => [
      gauge('standby_lag_entries', 'Entries that the standby lacks', lagEntries, { standby }),
      gauge('standby_lag_seconds', 'Age of the oldest entry that the standby lacks', lagMs / 1000, { standby }),
      gauge('standby_age_seconds', 'Since the standby last acknowledged', ageMs / 1000, { standby }),
      gauge('standby_in_sync', '1 while it is in the sync set and answers', inSync ? 1 : 0, { standby }),
    ]),
  ];
}
