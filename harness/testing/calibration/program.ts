import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HarnessError } from '../../platform/errors.ts';

const TERM_WITHIN_MS = 2000;
const ANSWER_WITHIN_MS = 10_000;

/** A Node program that speaks NDJSON on its pipes. Owner: who made it; stop() ends it. */
export class Program {
  readonly #process: ChildProcess;
  readonly #handlers = new Set<(message: unknown) => void>();
  readonly #name: string;
  readonly exited: Promise<void>;

  constructor(url: string, args: readonly string[]) {
    this.#name = fileURLToPath(url);
    this.#process = spawn(process.execPath, ['--enable-source-maps', this.#name, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.#process.once('close', () => resolve()));
    this.#process.stdin?.on('error', () => undefined); // that it has gone is told by `exited`
    if (this.#process.stdout === null) throw new HarnessError('internal', 'a program without stdout');
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const message: unknown = JSON.parse(line);
      for (const handler of this.#handlers) handler(message);
    });
  }

  send(message: unknown): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  onMessage(handler: (message: unknown) => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** The next message that `wanted` lets through. Throws HarnessError when it does not come in time, or the program ends. */
  async next<T>(
    wanted: ((message: unknown) => message is T) | ((message: unknown) => boolean),
    signal: AbortSignal,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const fail = (why: string): void => reject(new HarnessError('lab-failed', `${this.#name}: ${why}`));
    const timer = setTimeout(() => fail(`said nothing in ${withinMs} ms`), withinMs);
    const forget = this.onMessage((message) => void (wanted(message) && resolve(message as T)));
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void this.exited.then(() => fail('ended'));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      forget();
      signal.removeEventListener('abort', abort);
    }
  }

  /** Closes its stdin, which asks it to end; SIGKILL when it does not within 2 s. Idempotent. */
  async stop(): Promise<void> {
    this.#process.stdin?.end();
    const limit = setTimeout(() => this.#process.kill('SIGKILL'), TERM_WITHIN_MS);
    await this.exited;
    clearTimeout(limit);
  }
}
