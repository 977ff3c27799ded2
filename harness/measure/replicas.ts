import type { Replicas } from './measurement.ts';
import { isEngineKey } from './registers.ts';
import { eventsOf, type RunView } from './view.ts';

/** Differences named; there may be more. */
const SHOWN = 20;

/** The committed copies of all regions after the run, each held against the first that could be read. */
export function compareReplicas(view: RunView): Replicas {
  const copies = eventsOf(view.events, 'readback');
  const read = copies.map(({ region, ok, entries, lineNumber }) => ({
    region,
    ok,
    entries: Object.keys(entries ?? {}).length,
    line: lineNumber,
  }));
  const [first, ...others] = copies.filter((copy) => copy.ok);
  const differences = others.flatMap((copy) => difference(copy.region, first?.entries ?? {}, copy.entries ?? {}));
  return { read, differences: differences.slice(0, SHOWN) };
}

function difference(
  region: string,
  there: Readonly<Record<string, string>>,
  here: Readonly<Record<string, string>>,
): Replicas['differences'] {
  const keys = new Set([...Object.keys(there), ...Object.keys(here)]);
  return [...keys].flatMap((key) =>
    isEngineKey(key) || there[key] === here[key] ? [] : [{ region, key, here: here[key] ?? null, there: there[key] ?? null }],
  );
}
