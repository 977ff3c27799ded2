import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { playableOn } from '../commands/playable.ts';
import { byScenario, loads, others, promises, spread, warning, type Asked } from './failover-table.ts';
import { playedShape, type Course, type PlayedRun } from './failover.ts';
import { keptRuns } from './kept-runs.ts';
import { ROOT } from './run-program.ts';

/** The scenarios of the set `foundationdb`, on real fdbservers. */
export const ON_FOUNDATIONDB: Course = {
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
    'foundationdb-pair-switchover',
    'foundationdb-pair-loss',
    'backup-under-load',
    'foundationdb-cold-restore',
  ],
  kept: keptRuns('foundationdb', playedShape),
  database: 'foundationdb',
};
/** The same on two regions and a satellite: what `gameday run --set foundationdb` plays there. */
export function inTwoRegions(): Course {
  const database = 'foundationdb:two_regions';
  const fileOf = (name: string): string => join(ROOT, 'scenarios', `${name}.yaml`);
  const played = new Set(playableOn(ON_FOUNDATIONDB.names.map(fileOf), database).played.map(({ file }) => file));
  const names = ON_FOUNDATIONDB.names.filter((name) => played.has(fileOf(name)));
  return { names, kept: keptRuns('foundationdb-two-regions', playedShape), database };
}
const SUFFIX = /-on-foundationdb(-two-regions)?$/;

const published = z.object({ runs: z.array(playedShape) });

/** What `bench failover` has published; none where it has not, or not as it would today. */
export function embeddedRuns(): readonly PlayedRun[] {
  try {
    return published.parse(JSON.parse(readFileSync(join(ROOT, 'reports/benchmarks/failover.json'), 'utf8'))).runs;
  } catch {
    return [];
  }
}

/** Runs on FoundationDB, and beside them what the embedded database took for the same scenario. */
export function foundationdbTable(runs: readonly PlayedRun[], embedded: readonly PlayedRun[], asked: Asked): string {
  const scenarios = byScenario(runs);
  return [
    `${runs.length} runs of ${scenarios.size} scenarios on real fdbservers, two in each region; ${loads(runs)}.`,
    '',
    ...warning(runs, asked),
    ...promises(scenarios),
    '',
    '## Beside the embedded database',
    '',
    '| milliseconds | n | recovery, median | max | longest pause of writes, median | embedded: n | recovery, median | max | longest pause of writes, median |',
    '|---|---|---|---|---|---|---|---|---|',
    ...[...scenarios].map(([name, of]) => {
      const same = embedded.filter(({ scenario }) => scenario === name.replace(SUFFIX, ''));
      return besideEachOther(name, of, same);
    }),
    '',
    'Recovery is the upper bound of the worst vantage that must recover. Both were played on the lab policy; the embedded runs are those that `./scripts/bench failover` published, at another time and load.',
    '',
    ...others(runs),
  ].join('\n');
}

function besideEachOther(name: string, runs: readonly PlayedRun[], embedded: readonly PlayedRun[]): string {
  const cells = [runs, embedded].flatMap((of) => {
    const recovery = spread(of.map(({ breakdown }) => breakdown['recovery'] ?? null));
    return [String(of.length), recovery.median, recovery.max, spread(of.map(({ writePauseMs }) => writePauseMs)).median];
  });
  return `| ${name} | ${cells.join(' | ')} |`;
}
