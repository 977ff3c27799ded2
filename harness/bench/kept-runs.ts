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
