import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ROOT } from './run-program.ts';

export interface KeptRuns<Run> {
  clear(): void;
  /** Game days are about to be played; `end` when everything that they told is kept. */
  begin(day: BegunDay): void;
  end(): void;
  keep(run: Run): void;
  all(): readonly Run[];
  /** Those that began and did not come to their end: what they would have shown nobody knows, and a later one does not tell. */
  brokenOff(): readonly BegunDay[];
}

const begunShape = z.object({ begun: z.string(), wall: z.string(), revision: z.string() });
export type BegunDay = z.infer<typeof begunShape>;
const ended = { ended: true } as const;
const isEnd = (line: object): boolean => 'ended' in line;
const isMark = (line: object): boolean => 'begun' in line || isEnd(line);

/** Runs of a bench that is played in pieces: a line a run, written as soon as it is over, and one before and one after, so that one that broke off is missed. */
export function keptRuns<Run>(bench: string, shape: z.ZodType<Run>, folder = join(ROOT, 'reports/benchmarks')): KeptRuns<Run> {
  const file = join(folder, `${bench}.runs.ndjson`);
  const write = (line: object): void => {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
  const lines = (): readonly object[] => {
    if (!existsSync(file)) return [];
    const written = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return written.map((line) => z.looseObject({}).parse(JSON.parse(line)));
  };
  return {
    clear: () => rmSync(file, { force: true }),
    begin: (day) => write(day),
    end: () => write(ended),
    keep: (run) => write(run as object),
    all: () => lines().flatMap((line) => (isMark(line) ? [] : [shape.parse(line)])),
    brokenOff: () => {
      const marks = lines().filter(isMark);
      return marks.flatMap((mark, index) => {
        const next = marks[index + 1];
        return isEnd(mark) || (next !== undefined && isEnd(next)) ? [] : [begunShape.parse(mark)];
      });
    },
  };
}
