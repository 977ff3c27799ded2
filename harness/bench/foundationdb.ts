import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { playableOn } from '../commands/playable.ts';
import { load } from '../commands/scenarios.ts';
import { byScenario, loads, others, promises, spread, warning, type Asked } from './failover-table.ts';
import { playedShape, scenarioFileOf, type Course, type PlayedRun } from './failover.ts';
import { keptRuns } from './kept-runs.ts';
import { ROOT } from './run-program.ts';

const BENCH = 'foundationdb';
const PAIR = 'foundationdb-pair-';
const EMBEDDED = 'foundationdb-embedded';

/** The scenarios of the set `foundationdb` that are of one cluster, on real fdbservers. */
export const ON_FOUNDATIONDB: Course = {
  bench: BENCH,
  names: [
    'region-loss',
    'region-isolation',
    'region-partition',
    'standby-loss',
    'database-kill',
    'frozen-primary',
    'switchover',
    'failback',
    'foundationdb-loss',
    'foundationdb-two-regions-loss',
    'backup-under-load',
    'foundationdb-cold-restore',
  ],
  kept: keptRuns(BENCH, playedShape),
  database: 'foundationdb',
};

/** Those that are of a pair of clusters, each named after what it is put beside. */
export const ON_PAIRS: Course = {
  bench: `${BENCH}-pair`,
  names: [
    'loss',
    'isolation',
    'partition',
    'standby-loss',
    'database-kill',
    'frozen-primary',
    'lag',
    'switchover',
    'failback',
    'backup-under-load',
    'cold-restore',
  ].map((name) => `${PAIR}${name}`),
  kept: keptRuns(`${BENCH}-pair`, playedShape),
  database: 'foundationdb',
};
const fileOf = (name: string): string => join(ROOT, scenarioFileOf(name));

/** The same on two regions and a satellite: what `gameday run --set foundationdb` plays there. */
export function inTwoRegions(): Course {
  const database = 'foundationdb:two_regions';
  const played = new Set(playableOn(ON_FOUNDATIONDB.names.map(fileOf), database).played.map(({ file }) => file));
  const names = ON_FOUNDATIONDB.names.filter((name) => played.has(fileOf(name)));
  const bench = `${BENCH}-two-regions`;
  return { bench, names, kept: keptRuns(bench, playedShape), database };
}

/** Those of them that are not of FoundationDB alone, on the embedded database: what the others stand beside. */
export function onEmbedded(): Course {
  const names = ON_FOUNDATIONDB.names.filter((name) => load([fileOf(name)]).every(({ scenario }) => scenario.database !== 'foundationdb'));
  return { bench: EMBEDDED, names, kept: keptRuns(EMBEDDED, playedShape) };
}

const published = z.object({ runs: z.array(playedShape) });

/** Those that `bench foundationdb --embedded` has published, and of scenarios that it has not those of `bench failover`; none where neither has, or not as it would today. */
export function embeddedRuns(): readonly PlayedRun[] {
  const runs = publishedRuns(EMBEDDED);
  const there = new Set(runs.map(({ scenario }) => scenario));
  return [...runs, ...publishedRuns('failover').filter(({ scenario }) => !there.has(scenario))];
}

function publishedRuns(name: string): readonly PlayedRun[] {
  try {
    return published.parse(JSON.parse(readFileSync(join(ROOT, 'reports/benchmarks', `${name}.json`), 'utf8'))).runs;
  } catch {
    return [];
  }
}

/** Runs on the embedded database alone. */
export function embeddedTable(runs: readonly PlayedRun[], asked: Asked): string {
  const scenarios = byScenario(runs);
  const what = `${runs.length} runs on the embedded database of ${scenarios.size} scenarios of the set \`foundationdb\`; ${loads(runs)}.`;
  const rows = [...scenarios].map(([name, of]) => `| ${name} | ${figures(of).join(' | ')} |`);
  return [
    what,
    '',
    ...warning(runs, asked),
    ...promises(scenarios),
    '',
    `| milliseconds | ${FIGURES.join(' | ')} |`,
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    ...others(runs),
  ].join('\n');
}

/** Runs on FoundationDB, and beside them what the embedded database took for the same scenario. */
export function foundationdbTable(runs: readonly PlayedRun[], embedded: readonly PlayedRun[], asked: Asked): string {
  const scenarios = byScenario(runs);
  return [
    `${runs.length} runs of ${scenarios.size} scenarios on real fdbservers, two in each region that has any; ${loads(runs)}.`,
    '',
    ...warning(runs, asked),
    ...promises(scenarios),
    '',
    '## Beside the embedded database',
    '',
    `| milliseconds | ${FIGURES.join(' | ')} | embedded: ${FIGURES.join(' | ')} |`,
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...[...scenarios].map(([name, of]) => {
      const twins = twinsOf(name);
      return besideEachOther(
        name,
        of,
        embedded.filter(({ scenario }) => twins.includes(scenario)),
      );
    }),
    '',
    'Recovery is the upper bound of the worst vantage that must recover; the recovery point is the greatest of all runs. Both were played on the lab policy; the embedded runs are those that `./scripts/bench foundationdb --embedded` and `./scripts/bench failover` published, at another time and load.',
    '',
    ...others(runs),
  ].join('\n');
}

/** What a scenario may be called on the embedded database; where nothing is called so, there is none. */
function twinsOf(name: string): readonly string[] {
  if (!name.startsWith(PAIR)) return [name.replace(/-on-foundationdb(-two-regions)?$/, '')];
  const what = name.slice(PAIR.length);
  return [what, `region-${what}`, `${what}-above-rpo`];
}

const FIGURES = ['n', 'recovery, median', 'max', 'recovery point, max', 'longest pause of writes, median'] as const;

function besideEachOther(name: string, runs: readonly PlayedRun[], embedded: readonly PlayedRun[]): string {
  return `| ${name} | ${[runs, embedded].flatMap(figures).join(' | ')} |`;
}

function figures(runs: readonly PlayedRun[]): readonly string[] {
  const recovery = spread(runs.map(({ breakdown }) => breakdown['recovery'] ?? null));
  const points = runs.map(({ lost, recoveryPointMs }) => (lost === 0 ? 0 : recoveryPointMs));
  // The greatest of those that are known says nothing where one is not.
  const point = points.includes(null) ? '–' : spread(points).max;
  return [String(runs.length), recovery.median, recovery.max, point, spread(runs.map(({ writePauseMs }) => writePauseMs)).median];
}
