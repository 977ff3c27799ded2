import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { ROOT } from './run-program.ts';

export interface KeptRuns<Run> {
  clear(): void;
  keep(run: Run): void;
  all(): readonly Run[];
}

/** Runs of a bench that is played in pieces: a line a run, written as soon as it is over. */
export function keptRuns<Run>(bench: string, shape: z.ZodType<Run>): KeptRuns<Run> {
  const file = join(ROOT, `reports/benchmarks/${bench}.runs.ndjson`);
  return {
    clear: () => rmSync(file, { force: true }),
    keep: (run) => {
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${JSON.stringify(run)}\n`);
    },
    all: () => {
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
      return lines.map((line) => shape.parse(JSON.parse(line)));
    },
  };
}

/** Of the program that runs. What a bench has published is none of it: in pieces, the first of which publishes, all runs are of one revision. */
export function revision(): string {
  try {
    const commit = git('describe', '--always');
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', ':(exclude)reports');
    return changes === '' ? commit : `${commit}-dirty`;
  } catch {
    return 'unknown';
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
