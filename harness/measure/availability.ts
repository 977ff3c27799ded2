import type { AvailabilitySecond, LagSample, VantageMeasurement, WritePause } from './measurement.ts';
import { clientAway } from './client-away.ts';
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
  return longest(writePauses(view), ({ pauseMs }) => pauseMs);
}

/** The longest that none of the clients made itself, by standing still: so long there was certainly no write acknowledged. */
export function certainWritePauseMs(view: RunView): number {
  const { byVantage, scenario } = view;
  const aways = new Map(
    scenario.expect.mustRecover.map((name) => [name, clientAway(byVantage.get(name) ?? [], scenario.workload.periodMs)]),
  );
  const certainMs = ({ vantage, fromMs, toMs, pauseMs }: WritePause): number => pauseMs - (aways.get(vantage)?.(fromMs, toMs) ?? 0);
  const worst = longest(writePauses(view), certainMs);
  return worst === null ? 0 : certainMs(worst);
}

function longest(pauses: readonly WritePause[], of: (pause: WritePause) => number): WritePause | null {
  return pauses.reduce<WritePause | null>((worst, one) => (worst === null || of(one) > of(worst) ? one : worst), null);
}

function writePauses({ steadyMs, loadEndMs, scenario, byVantage }: RunView): readonly WritePause[] {
  if (steadyMs === null || loadEndMs <= steadyMs) return [];
  return scenario.expect.mustRecover.flatMap((vantage) => {
    const acks = (byVantage.get(vantage) ?? [])
      .filter((op) => op.op !== 'get' && op.outcome === 'ok' && op.completedMs >= steadyMs)
      .map((op) => op.completedMs)
      .toSorted((a, b) => a - b);
    const instants = [steadyMs, ...acks, Math.max(loadEndMs, acks.at(-1) ?? 0)];
    return instants.slice(1).map((toMs, index) => {
      const fromMs = instants[index] ?? toMs;
      return { vantage, fromMs, toMs, pauseMs: toMs - fromMs };
    });
  });
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
