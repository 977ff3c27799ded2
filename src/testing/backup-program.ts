import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../platform/clock.ts';
import { choose, OPERATIONS, type Operation } from './backup-bench/contenders.ts';
import { benchRevision } from './bench-revision.ts';
import { benchOptions, numberList, wholeNumber, wordList } from './bench-options.ts';
import { makeDataset } from './backup-bench/dataset.ts';
import { pageOf } from './backup-bench/page.ts';
import { plotOf } from './backup-bench/plot.ts';
import { runRounds, type Figure } from './backup-bench/rounds.ts';
import { claimsOf, type Run } from './backup-bench/summary.ts';

/**
 * `./scripts/bench backup [--gib 0.25,1,4] [--rounds 5] [--place tmpfs,disk] [--only ours,borg,limit] [--operations backup,restore] [--work FOLDER] [--again]`. Results are added
 * to reports/benchmarks/backup.json, from which backup.md and backup.svg are made, so that it may be run in pieces; claims are held against those of the same revision. `--again` forgets what is there.
 */
const REPORT = 'reports/benchmarks';
interface Asked {
  readonly gib: readonly number[];
  readonly rounds: number;
  readonly place: readonly ('tmpfs' | 'disk')[];
  readonly only?: readonly string[];
  readonly operations: readonly Operation[];
  readonly work: string;
  readonly again: boolean;
}
const asked = benchOptions<Asked>('backup', (command) =>
  command
    .option('--gib <sizes>', 'of the data', numberList(0.01, 64), [0.25, 1, 4])
    .option('--rounds <count>', 'of each contender', wholeNumber(1), 5)
    .option('--place <names>', 'of the stores: tmpfs,disk', wordList(['tmpfs', 'disk']), ['tmpfs', 'disk'])
    .option('--only <contenders>', 'such as ours,borg,limit', (text) => text.split(','))
    .option('--operations <names>', OPERATIONS.join(','), wordList(OPERATIONS), OPERATIONS)
    .option('--work <folder>', 'for data and stores', '/var/tmp/coditect-bench')
    .option('--again', 'forget earlier results', false),
);
const FOLDERS = { tmpfs: '/dev/shm/coditect-bench', disk: join(asked.work, 'stores') } as const;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const { gib: sizes, place: places, rounds, operations, work, again, only = null } = asked;
  const { contenders, versions, missing } = choose(only);
  for (const line of missing) say(`not here: ${line}`);
  const file = join(REPORT, 'backup.json');
  const revision = benchRevision(systemClock.wall());
  const runs: Run[] = existsSync(file) && !again ? (JSON.parse(readFileSync(file, 'utf8')) as { runs: Run[] }).runs : [];
  mkdirSync(REPORT, { recursive: true });
  for (const gib of sizes)
    for (const place of places) {
      say(`${gib} GiB, stores on ${place}`);
      const dataset = await makeDataset(join(work, `data-${gib}`), gib);
      const at = systemClock.wall();
      const loadBefore = loadavg()[0]!;
      const before = runs.length;
      const save = (figures: readonly Figure[]): void => {
        const run: Run = {
          at: at.toISOString(),
          revision,
          gib,
          place,
          bytes: dataset.bytes,
          records: dataset.records,
          machine: { cpu: cpus()[0]?.model ?? '', cpus: cpus().length, memoryBytes: totalmem(), kernel: release() },
          load: [loadBefore, loadavg()[0]!],
          versions,
          missing,
          contenders: Object.fromEntries(contenders.map(({ name, says }) => [name, says])),
          figures,
        };
        runs.splice(before, runs.length, run);
        writeFileSync(file, `${JSON.stringify({ name: 'backup', runs })}\n`);
        writeFileSync(join(REPORT, 'backup.svg'), plotOf(runs));
        writeFileSync(join(REPORT, 'backup.md'), pageOf(runs, revision));
      };
      await runRounds({
        dataset,
        contenders,
        operations,
        withLimit: only === null || only.includes('limit'),
        rounds,
        folder: FOLDERS[place],
        firstVersion: Math.floor(at.getTime() / 1000),
        onLine: say,
        // Each time, so that a run that is stopped keeps the rounds that it had.
        onRound: save,
      });
    }
  say(`${REPORT}/backup.md`);
  const claims = claimsOf(revision, runs);
  if (claims.some(({ reached }) => reached === false)) process.exitCode = 1;
  else if (claims.some(({ reached }) => reached === null)) process.exitCode = 3;
}

try {
  await main();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
