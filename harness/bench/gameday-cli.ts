import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../platform/errors.ts';
import { resultShape, type ResultDocument } from '../report/result-shape.ts';

export const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'dist/harness/main.js');
const SIGTERM_WITHIN_MS = 20_000;
const played = z.array(z.object({ folder: z.string() }));

/** Runs `gameday run … --json` as the program that it is, and answers the results of its runs. Whatever the verdicts are, they are results. */
export async function runGamedayProgram(args: readonly string[], signal: AbortSignal): Promise<readonly ResultDocument[]> {
  const child = spawn(process.execPath, [MAIN, 'run', ...args, '--json'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), SIGTERM_WITHIN_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') throw new HarnessError('lab-failed', `gameday ended with exit code ${code} and without a result`);
  const folders = played.parse(JSON.parse(text)).map((one) => resolve(ROOT, one.folder));
  return await Promise.all(folders.map(readResult));
}

async function readResult(folder: string): Promise<ResultDocument> {
  return resultShape.parse(JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')));
}
