import type { AvailabilitySecond, LagSample, VantageMeasurement, WritePause } from './measurement.ts';
import { quantile } from './quantile.ts';
import { vantageRecovery } from './recovery-time.ts';
import { isGood } from './service.ts';
import { eventsOf, type Operation, type RunView } from './view.ts';

/** Per second of intended start and vantage: what became of the operations that were due. */
export function availability(view: RunView): readonly AvailabilitySecond[] {
  const seconds = new Map<string, { -readonly [K in keyof AvailabilitySecond]: AvailabilitySecond[K] }>();
  for (const op of view.operations) {
    const second = Math.floor(op.intendedMs / 1000);
    const key = `${second} ${op.vantage}`;
    let cell = seconds.get(key);
    if (cell === undefined) seconds.set(key, (cell = { second, vantage: op.vantage, good: 0, slow: 0, failed: 0, unknown: 0 }));
    if (op.outcome !== 'ok') cell[op.outcome] += 1;
    else if (isGood(op, view.scenario.workload)) cell.good += 1;
    else cell.slow += 1;
  }
  return [...seconds.values()].toSorted((a, b) => a.second - b.second || a.vantage.localeCompare(b.vantage));
}

export function measureVantage(view: RunView, vantage: string): VantageMeasurement {
  const operations = view.byVantage.get(vantage) ?? [];
  const count = (holds: (op: Operation) => boolean): number => operations.filter(holds).length;
  const good = operations.filter((op) => isGood(op, view.scenario.workload));
  return {
    vantage,
    mustRecover: view.scenario.expect.mustRecover.includes(vantage),
    operations: operations.length,
    good: good.length,
    slow: count((op) => op.outcome === 'ok') - good.length,
    failed: count((op) => op.outcome === 'failed'),
    unknown: count((op) => op.outcome === 'unknown'),
    dropped: count((op) => op.reason === 'dropped'),
    latencyMs: percentiles(good.map((op) => op.completedMs - op.intendedMs)),
    recovery: view.faults.map((fault) => vantageRecovery(view, fault, vantage)),
  };
}

function percentiles(values: readonly number[]): VantageMeasurement['latencyMs'] {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => quantile(sorted, share);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Longest time between two acknowledged writes of a mustRecover vantage, from the steady state to the end of the load. */
export function longestWritePause(view: RunView): WritePause | null {
  const { steadyMs, loadEndMs, scenario } = view;
  if (steadyMs === null || loadEndMs <= steadyMs) return null;
  const pauses = scenario.expect.mustRecover.map((vantage): WritePause => {
    const acks = (view.byVantage.get(vantage) ?? [])
      .filter((op) => op.op !== 'get' && op.outcome === 'ok' && op.completedMs >= steadyMs)
      .map((op) => op.completedMs)
      .toSorted((a, b) => a - b);
    let longest: WritePause = { vantage, fromMs: steadyMs, toMs: steadyMs, pauseMs: 0 };
    let fromMs = steadyMs;
    for (const toMs of [...acks, Math.max(loadEndMs, acks.at(-1) ?? 0)]) {
      if (toMs - fromMs > longest.pauseMs) longest = { vantage, fromMs, toMs, pauseMs: toMs - fromMs };
      fromMs = toMs;
    }
    return longest;
  });
  return pauses.toSorted((a, b) => b.pauseMs - a.pauseMs)[0] ?? null;
}

/** What the engine says where it does not know a lag: no height of a chart. */
const UNKNOWN_LAG_MS = Number.MAX_SAFE_INTEGER;

/** What the primary's status said of its standbys' lag, for the chart: highest in each second. */
export function lagSamples(view: RunView): readonly LagSample[] {
  const highest = new Map<string, LagSample>();
  for (const status of eventsOf(view.events, 'engine-status')) {
    const standbys = (status.body as { standbys?: Record<string, { lagMs?: unknown } | undefined> } | undefined)?.standbys ?? {};
    for (const [region, standby] of Object.entries(standbys)) {
      if (typeof standby?.lagMs !== 'number' || standby.lagMs >= UNKNOWN_LAG_MS) continue;
      const sample = { second: Math.floor(status.atMs / 1000), region, lagMs: standby.lagMs };
      const key = `${sample.second} ${region}`;
      if ((highest.get(key)?.lagMs ?? -1) < sample.lagMs) highest.set(key, sample);
    }
  }
  return [...highest.values()].toSorted((a, b) => a.second - b.second || a.region.localeCompare(b.region));
}
