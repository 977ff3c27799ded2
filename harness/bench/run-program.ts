import { spawn } from 'node:child_process';
import { EXIT, HarnessError } from '../platform/errors.ts';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../../..');
const SIGTERM_WITHIN_MS = 20_000;
/** Time to judge what an hour left. */
const JUDGED_WITHIN_MS = 300_000;

export interface RunOptions {
  readonly signal: AbortSignal;
  /** What it tells when it was ended early is wanted too; else an abort is thrown. */
  readonly evenIfAborted?: boolean;
}

/** Runs one of the two programs as the program that it is, and answers what it told with `--json`, whatever its exit code. An abort ends it; it has a while for that. */
export async function runProgram(main: string, args: readonly string[], { signal, evenIfAborted = false }: RunOptions): Promise<unknown> {
  const child = spawn(process.execPath, [main, ...args, '--json'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), evenIfAborted ? JUDGED_WITHIN_MS : SIGTERM_WITHIN_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  signal.removeEventListener('abort', stop);
  const text = Buffer.concat(chunks).toString('utf8');
  if (!evenIfAborted || text === '') signal.throwIfAborted();
  if (code === EXIT.badInput) throw new HarnessError('bad-input', `${args.join(' ')} was refused, see above`);
  if (text === '') throw new HarnessError('lab-failed', `${args.join(' ')} ended with exit code ${code} and without a result`);
  return JSON.parse(text);
}
