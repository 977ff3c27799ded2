import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The package's root: dist/harness/commands/ is three folders below. */
export const PACKAGE_ROOT = resolve(import.meta.dirname, '../../..');
const SCENARIOS = join(PACKAGE_ROOT, 'scenarios');
export const DEFAULT_REPORTS = 'reports';

/** Cheap and telling ones first: a lab that cannot even serve shows in `null`. Others follow by name. */
const FIRST = ['null.yaml', 'region-isolation.yaml', 'region-partition.yaml', 'region-loss.yaml'];

/** The scenario files that come with the package, in the order in which `gameday run` plays them, relative to the working directory. */
export function packagedScenarios(): readonly string[] {
  const files = readdirSync(SCENARIOS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  const rank = (file: string): number => (FIRST.includes(file) ? FIRST.indexOf(file) : FIRST.length);
  return files.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b)).map((file) => relative(process.cwd(), join(SCENARIOS, file)));
}

/** A new name for a run's folder; sorts by time. */
export function runName(scenario: string, now: Date, repetition: number | null): string {
  const stamp = now
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .replace(/\.(\d+)Z$/, '$1Z');
  return `${stamp}-${scenario}${repetition === null ? '' : `-${repetition}`}`;
}
