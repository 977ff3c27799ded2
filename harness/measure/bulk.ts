import type { BulkAccount } from './backup-account.ts';
import { isBulkEntry } from './bulk-values.ts';
import type { CopyWindow } from './copies.ts';
import type { Measurement } from './measurement.ts';
import { survivingCopy } from './survivor.ts';
import { eventsOf, type RunView } from './view.ts';

/**
 * How many entries of the bulk load a copy of this instant has at least. When k6 began, and which of its requests failed, nobody knows: so it began as late
 * as its end allows, each request took all its time, and all that failed did so before. 0 where only a part was restored, or nothing bounds the copy.
 */
export function bulkAtLeast(view: RunView, { fromMs, prefix }: CopyWindow): number {
  if (fromMs === null || prefix !== '') return 0;
  const loads = bulkOf(view).flatMap((load) => {
    const step = view.scenario.method.find((one) => one.do === 'bulk' && one.name === load.name);
    if (step?.do !== 'bulk') return [];
    const sentMs = fromMs - view.scenario.workload.timeoutMs - (load.endedMs - step.forMs);
    const sent = Math.floor((sentMs * step.perSecond) / 1000);
    const failed = load.requests - load.acknowledged;
    return [Math.min(load.acknowledged, sent - failed - load.dropped)];
  });
  return loads.reduce((sum, least) => sum + Math.max(0, least), 0);
}

/** How many acknowledged writes of bulk loads are gone: the ledger knows none of them. */
export function lostOfBulk({ backups }: Pick<Measurement, 'backups'>): number {
  return (backups?.bulk ?? []).reduce((sum, { kept, acknowledged }) => sum + Math.max(0, acknowledged - kept), 0);
}

/** From the summary that k6 exported (`--summary-export`): there a threshold is `true` when it was crossed, and `fails` of "failed" are those that did not. */
export function bulkOf(view: RunView): readonly BulkAccount[] {
  const survivor = Object.entries(survivingCopy(view)?.entries ?? {});
  return eventsOf(view.events, 'bulk').map(({ name, summary, startedMs, endedMs, exitCode, lineNumber, acknowledged: numbers }) => {
    const metrics = (summary?.['metrics'] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
    const value = (metric: string, field: string): number => {
      const found = metrics[metric]?.[field];
      return typeof found === 'number' ? found : 0;
    };
    const duration = metrics['http_req_duration'];
    const counted = value('http_req_failed', 'fails');
    const keys = new Set(numbers?.map((number) => `bulk/${name}/${number}`));
    const acknowledged = Math.max(counted, keys.size);
    // Where k6 counted others than it wrote down, nobody knows which they are.
    const known = keys.size === counted;
    const mine = new Set(
      survivor.flatMap(([key, text]) => (key.startsWith(`bulk/${name}/`) && isBulkEntry(view.scenario, key, text) ? [key] : [])),
    );
    const namedLost = [...keys].filter((key) => !mine.has(key)).length;
    return {
      name,
      iterations: value('iterations', 'count'),
      startedMs,
      endedMs,
      acknowledged,
      known,
      kept: known || namedLost > 0 ? Math.min(mine.size, acknowledged - namedLost) : mine.size,
      requests: value('http_reqs', 'count'),
      dropped: value('dropped_iterations', 'count'),
      failedShare: value('http_req_failed', 'value'),
      perSecond: value('iterations', 'rate'),
      latencyMs:
        duration === undefined
          ? null
          : { median: value('http_req_duration', 'med'), p95: value('http_req_duration', 'p(95)'), max: value('http_req_duration', 'max') },
      exitCode,
      crossed: Object.entries(metrics).flatMap(([metric, fields]) =>
        Object.entries((fields?.['thresholds'] ?? {}) as Record<string, unknown>).flatMap(([rule, wrong]) =>
          wrong === true ? [`${metric} ${rule}`] : [],
        ),
      ),
      line: lineNumber,
    };
  });
}
