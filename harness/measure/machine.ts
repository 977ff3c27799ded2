import type { MachineCounted } from '../history/machine-event.ts';
import type { MachineMeasurement, Spread } from './measurement.ts';
import { quantile } from './quantile.ts';
import { eventsOf, type RunView } from './view.ts';

/** Two looks that are closer to each other than this say nothing about a share. */
const LEAST_MS = 250;

/** How busy this machine was from the steady state to the end of the load; null where it was not watched. */
export function measureMachine({ events, steadyMs, loadEndMs }: RunView): MachineMeasurement | null {
  const looks = eventsOf(events, 'machine').filter(({ atMs }) => steadyMs !== null && atMs >= steadyMs && atMs <= loadEndMs);
  const [first, last] = [looks.at(0), looks.at(-1)];
  if (first === undefined || last === undefined || last.processorsMs <= first.processorsMs) return null;
  const processorsMs = last.processorsMs - first.processorsMs;
  const share = (of: (look: MachineCounted) => number | undefined): readonly number[] =>
    looks.slice(1).flatMap((look, index) => {
      const before = looks[index] ?? look;
      const [from, to] = [of(before), of(look)];
      const elapsedMs = look.atMs - before.atMs;
      return from === undefined || to === undefined || elapsedMs < LEAST_MS ? [] : [(to - from) / elapsedMs];
    });
  return {
    busy: 1 - (last.idleMs - first.idleMs) / processorsMs,
    stolen: (last.stolenMs - first.stolenMs) / processorsMs,
    waited: spread(share((look) => look.waitedMs)),
    networkWait: spread(share((look) => look.networkWaitMs)),
  };
}

function spread(shares: readonly number[]): Spread | null {
  const ascending = shares.toSorted((a, b) => a - b);
  return ascending.length === 0 ? null : { median: quantile(ascending, 0.5), max: quantile(ascending, 1) };
}
