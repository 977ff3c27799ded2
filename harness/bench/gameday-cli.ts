import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { resultShape, type ResultDocument } from '../report/result-shape.ts';
import { ROOT, runProgram, type RunOptions } from './run-program.ts';

const MAIN = join(ROOT, 'dist/harness/main.js');
const played = z.array(z.object({ folder: z.string() }));

/** Runs `gameday run … --json` as the program that it is, and answers the results of its runs. Whatever the verdicts are, they are results. */
export async function runGamedayProgram(args: readonly string[], options: RunOptions): Promise<readonly ResultDocument[]> {
  const folders = played.parse(await runProgram(MAIN, ['run', ...args], options)).map((one) => resolve(ROOT, one.folder));
  return await Promise.all(folders.map(readResult));
}

async function readResult(folder: string): Promise<ResultDocument> {
  return resultShape.parse(JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')));
}
