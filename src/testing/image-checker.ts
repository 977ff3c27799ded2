import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = resolve(import.meta.dirname, 'check-image.js');

/** Opens images of a database file in a process of their own. The owner calls `stop`. */
export class ImageChecker {
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #answers: AsyncIterator<string> | null = null;

  constructor(folder: string) {
    this.#folder = join(folder, 'image');
  }

  /** Null when everything acknowledged is there, else what is wrong. */
  async check(image: Buffer, acknowledged: ReadonlyMap<string, string>): Promise<string | null> {
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(this.#folder, 'data.mdb'), image);
    const child = this.#start();
    child.stdin?.write(`${JSON.stringify({ folder: this.#folder, acknowledged: Object.fromEntries(acknowledged) })}\n`);
    const line = await this.#answers?.next();
    if (line === undefined || line.done === true) {
      this.#child = null;
      return 'the process that opened it died';
    }
    const answer = JSON.parse(line.value) as { readonly missing?: readonly string[]; readonly error?: string };
    if (answer.error !== undefined) return answer.error;
    return answer.missing?.length === 0 ? null : `acknowledged, but missing: ${answer.missing?.join(', ')}`;
  }

  #start(): ChildProcess {
    if (this.#child !== null) return this.#child;
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined);
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#child = child;
    return child;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.stdin?.end();
    await exited;
  }
}
