import { spawn } from 'node:child_process';

const MAX_OUTPUT_BYTES = 4096;

export interface ProgramResult {
  /** Null: it did not end in time, was ended by a signal, or could not be started. */
  readonly code: number | null;
  /** What it said on both outputs, cut to a few kilobytes; where it said nothing, what happened to it. */
  readonly said: string;
  /** What it said on its standard output alone, as long as the limit allows: to be read by a program. */
  readonly output: string;
}

/**
 * Runs a program to its end, `input` on its standard input, with no environment but PATH (ours holds settings). Killed, with all that it started, after `timeoutMs` or when the
 * signal aborts. Never rejects.
 */
export function runProgram(
  command: {
    readonly program: string;
    readonly args: readonly string[];
    readonly input: string;
    readonly timeoutMs: number;
    /** Of `output`, where more than a message is to be read. */
    readonly maxOutputBytes?: number;
  },
  signal: AbortSignal,
): Promise<ProgramResult> {
  const { program, args, input, timeoutMs, maxOutputBytes = MAX_OUTPUT_BYTES } = command;
  return new Promise((resolve) => {
    const all = new Collected(MAX_OUTPUT_BYTES);
    const output = new Collected(maxOutputBytes);
    let ended = false;
    const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { PATH: process.env['PATH'] ?? '' } });
    const end = (code: number | null, what: string): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      const said = all.text().trim();
      resolve({ code, said: said === '' ? what : said, output: output.text() });
    };
    const kill = (): void => {
      // Its whole process group; it may be gone already.
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    };
    const timer = setTimeout(() => {
      kill();
      end(null, `no answer within ${timeoutMs} ms`);
    }, timeoutMs);
    const stop = (): void => {
      kill();
      end(null, 'stopped');
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => all.add(chunk));
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
    child.on('error', (error) => end(null, error.message));
    child.on('close', (code) => end(code, code === null ? 'ended by a signal' : `exit code ${code}`));
    // A program that does not read its input is none of our business.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The beginning of what comes, up to a limit. */
class Collected {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(chunk: Buffer): void {
    if (this.#size < this.#limitBytes) this.#chunks.push(chunk.subarray(0, this.#limitBytes - this.#size));
    this.#size += chunk.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
