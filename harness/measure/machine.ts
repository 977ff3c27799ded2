import type { MachineCounted } from '../history/machine-event.ts';
import type { MachineMeasurement, Spread } from './measurement.ts';
import { quantile } from './quantile.ts';
import { eventsOf, type RunView } from './view.ts';

/** Two looks that are closer to each other than this say nothing about a share. */
const LEAST_MS = 250;

/** How busy this machine was from the steady state to the end of the load; null where it was not watched, or where counters fall, which no kernel's do. */
export function measureMachine({ events, steadyMs, loadEndMs }: RunView): MachineMeasurement | null {
  const looks = eventsOf(events, 'machine').filter(({ atMs }) => steadyMs !== null && atMs >= steadyMs && atMs <= loadEndMs);
  const [first, last] = [looks.at(0), looks.at(-1)];
  if (first === undefined || last === undefined || last.processorsMs <= first.processorsMs) return null;
  const steps = looks.slice(1).map((to, index) => ({ from: looks[index] ?? to, to }));
  if (!steps.every(({ from, to }) => isLater(from, to))) return null;
  const processorsMs = last.processorsMs - first.processorsMs;
  const shares = (waitedMs: (from: MachineCounted, to: MachineCounted) => number | undefined): readonly number[] =>
    steps.flatMap(({ from, to }) => {
      const [waited, elapsedMs] = [waitedMs(from, to), to.atMs - from.atMs];
      return waited === undefined || elapsedMs < LEAST_MS ? [] : [waited / elapsedMs];
    });
  return {
    busy: 1 - (last.idleMs - first.idleMs) / processorsMs,
    stolen: (last.stolenMs - first.stolenMs) / processorsMs,
    waited: spread(shares((from, to) => difference(from.waitedMs, to.waitedMs))),
    networkWait: spread(shares((from, to) => longest(from.networkWaitsMs, to.networkWaitsMs))),
  };
}

function isLater(from: MachineCounted, to: MachineCounted): boolean {
  const waits = [difference(from.waitedMs, to.waitedMs) ?? 0, ...waitsBetween(from.networkWaitsMs, to.networkWaitsMs)];
  // Idle time may be told as a little less than before: https://docs.kernel.org/filesystems/proc.html (iowait).
  return to.processorsMs >= from.processorsMs && to.stolenMs >= from.stolenMs && waits.every((ms) => ms >= 0);
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}

function longest(from: readonly number[] | undefined, to: readonly number[] | undefined): number | undefined {
  const waits = waitsBetween(from, to);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** Of each thread; none where it is not known which is which. */
function waitsBetween(from: readonly number[] = [], to: readonly number[] = []): readonly number[] {
  return from.length === to.length ? to.map((ms, index) => ms - (from[index] ?? ms)) : [];
}

function spread(shares: readonly number[]): Spread | null {
  const ascending = shares.toSorted((a, b) => a - b);
  return ascending.length === 0 ? null : { median: quantile(ascending, 0.5), max: quantile(ascending, 1) };
}
