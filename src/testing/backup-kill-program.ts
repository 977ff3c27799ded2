import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../platform/clock.ts';
import { runKillLoop } from './backup-kill.ts';

/** `./scripts/bench backup-kill [--kills 100]`. Result: reports/benchmarks/backup-kill.json and .md. */
const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } });
const startMs = systemClock.monotonicMs();
const say = (line: string): void => void process.stderr.write(`${line}\n`);
let result: Awaited<ReturnType<typeof runKillLoop>> | null = null;
let problem: string | null = null;
try {
  result = await runKillLoop({ kills: Number(values.kills), random: Math.random, onLine: say });
} catch (error) {
  problem = (error as Error).message;
  process.exitCode = 1;
}
const seconds = Math.round((systemClock.monotonicMs() - startMs) / 1000);
const document = { name: 'backup-kill', at: systemClock.wall().toISOString(), passed: problem === null, problem, seconds, ...result };
mkdirSync('reports/benchmarks', { recursive: true });
writeFileSync('reports/benchmarks/backup-kill.json', `${JSON.stringify(document, null, 2)}\n`);
const lines = [
  '# Backups killed at random moments',
  '',
  problem === null
    ? 'Every committed backup verified at level 3 after each kill; nothing was left after prune; the last backup restored.'
    : `FAILED: ${problem}`,
  '',
  ...(result === null
    ? []
    : [
        `SIGKILL: ${Object.entries(result.kills)
          .map(([work, kills]) => `${work} ${kills}`)
          .join(
            ', ',
          )}; ended before: ${result.completed}; backups: ${result.backups}; verifications: ${result.verifications}; ${seconds} s.`,
      ]),
  '',
];
writeFileSync('reports/benchmarks/backup-kill.md', lines.join('\n'));
say(lines.join('\n'));
