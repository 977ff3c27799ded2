import { systemClock } from '../platform/clock.ts';
import { runPointInTime, type PointInTimeResult } from './backup-point-in-time.ts';
import { benchOptions, wholeNumber } from './bench-options.ts';
import { publishBench } from './bench-report.ts';

/** `./scripts/bench backup-point-in-time [--points 200]`. Result: reports/benchmarks/backup-point-in-time.json and .md. */
const { points } = benchOptions<{ points: number }>('backup-point-in-time', (command) =>
  command.option('--points <count>', 'versions and times to restore', wholeNumber(1), 200),
);
const startMs = systemClock.monotonicMs();
let result: PointInTimeResult | null = null;
let problem: string | null = null;
try {
  const onLine = (line: string): void => void process.stderr.write(`${line}\n`);
  result = await runPointInTime({ points, writes: 1000, random: Math.random, onLine });
} catch (error) {
  problem = (error as Error).message;
}
publishBench({
  name: 'backup-point-in-time',
  title: 'Restores to a point in time',
  problem,
  data: { seconds: Math.round((systemClock.monotonicMs() - startMs) / 1000), ...result },
  lines:
    result === null
      ? []
      : [
          `${result.versions} versions and ${result.times} times at random of ${result.writes} writes (${result.backups} backups, ${result.epochKeys} epoch keys, ${result.streams} streams of the log, two programs shipping in turns):`,
          'each restored state was the one that was there after that write, or the last one that the repository had by that time.',
        ],
});
