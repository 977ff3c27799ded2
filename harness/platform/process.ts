import { execFile } from 'node:child_process';
import process from 'node:process';
import { HarnessError } from './errors.ts';

export interface RunOptions {
  /** Written to the program's stdin. */
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/** PATH with the folders that distributions keep out of an ordinary user's: nft and the servers are there. */
export function pathWithSbin(): string {
  return [process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':');
}

/**
 * Runs a tool to its end and gives its stdout. Bounded: it is killed after timeoutMs or when the signal aborts.
 * Throws HarnessError `missing-tool` when it is not installed, else `lab-failed` with what it wrote on stderr.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { input = '', timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const limits = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, PATH: pathWithSbin() },
    };
    const child = execFile(program, [...args], { ...limits, ...(signal === undefined ? {} : { signal }) }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      reject(failure(program, args, { error, stderr, timeoutMs }));
    });
    child.stdin?.on('error', () => undefined); // the exit code says it better than EPIPE
    child.stdin?.end(input);
  });
}

interface Failed {
  readonly error: Error & { readonly code?: unknown; readonly killed?: boolean };
  readonly stderr: string;
  readonly timeoutMs: number;
}

function failure(program: string, args: readonly string[], { error, stderr, timeoutMs }: Failed): HarnessError {
  if (error.code === 'ENOENT') return new HarnessError('missing-tool', `${program} is not installed; ./scripts/setup installs it`, error);
  if (error.name === 'AbortError') return new HarnessError('timeout', `${program} was interrupted`, error);
  const command = [program, ...args].join(' ');
  if (error.killed === true) return new HarnessError('timeout', `${command} did not end within ${timeoutMs} ms`, error);
  return new HarnessError('lab-failed', `${command} failed (${String(error.code)}): ${stderr.trim().slice(0, 2000)}`, error);
}
