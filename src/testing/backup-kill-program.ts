import { systemClock } from '../platform/clock.ts';
import { runKillLoop, type KillLoopResult } from './backup-kill.ts';
import { benchOptions, wholeNumber } from './bench-options.ts';
import { publishBench } from './bench-report.ts';

/** `./scripts/bench backup-kill [--kills 100]`. Result: reports/benchmarks/backup-kill.json and .md. */
const options = benchOptions<{ kills: number }>('backup-kill', (command) =>
  command.option('--kills <count>', 'commands to kill', wholeNumber(1), 100),
);
const startMs = systemClock.monotonicMs();
const say = (line: string): void => void process.stderr.write(`${line}\n`);
let result: KillLoopResult | null = null;
let problem: string | null = null;
try {
  result = await runKillLoop({ kills: options.kills, random: Math.random, onLine: say });
} catch (error) {
  problem = (error as Error).message;
}
const seconds = Math.round((systemClock.monotonicMs() - startMs) / 1000);
publishBench({
  name: 'backup-kill',
  title: 'Backups killed at random moments',
  problem,
  data: { seconds, ...result },
  lines: result === null ? [] : describe(result),
});

function describe({ kills, killsInWork, completed, backups, deletedBackups, verifications }: KillLoopResult): readonly string[] {
  const total = Object.values(kills).reduce((sum, each) => sum + each, 0);
  const rows = Object.entries(kills).map(([work, count]) => `| ${work} | ${count} | ${killsInWork[work as keyof typeof kills]} |`);
  return [
    `${total} × SIGKILL. After each, every committed backup was verified at level 3 (${verifications} verifications), no backup was gone that prune had not marked a run before, and no restore was live in part.`,
    `At the end prune had left nothing that no backup needs (records and temporary files included), each epoch key had one wrap for the key service and one for the offline recipient, and the last backup restored.`,
    '',
    '| killed | times | of these, after it had changed something in the store or the target |',
    '|---|---|---|',
    ...rows,
    '',
    `Ended before the kill came: ${completed}. Backups deleted by prune on the way: ${deletedBackups}; at the end: ${backups}. ${seconds} s.`,
  ];
}
