import { spawn, type ChildProcess } from 'node:child_process';
import { HarnessError } from '../errors.ts';

let sessions = 0;
const TIMEOUT_MS = 5000;

interface Pending {
  readonly command: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * One long-lived `nft -i` in the sandbox's network namespace: starting one costs 4 to 40 ms, a command on a running one about 1 ms. Each
 * command line is one transaction; it is acknowledged by listing an empty table after it, so that the promise resolves after the kernel has
 * committed. Commands are done in the order given. Owner: whoever called start; close() ends it.
 */
export class Nft {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #table = `gameday-ack${++sessions}`;
  readonly #pending: Pending[] = [];
  #output = '';
  #ended: Error | undefined;

  private constructor() {
    // nft answers errors on stderr; one ordered stream tells which command they belong to.
    this.#child = spawn('sh', ['-c', 'exec setpriv --pdeathsig KILL nft -i 2>&1'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.on('error', () => undefined); // 'exit' says it better
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#exited = new Promise((resolve) => this.#child.once('error', () => resolve()).once('exit', () => resolve()));
    this.#child.on('error', (error) =>
      this.#end(new HarnessError('missing-tool', 'nft does not start; ./scripts/setup installs it', error)),
    );
    this.#child.on('exit', (code, signal) => this.#end(new HarnessError('lab-failed', `nft ended (${signal ?? code}): ${this.#output}`)));
  }

  static async start(): Promise<Nft> {
    const nft = new Nft();
    await nft.execute(`add table bridge ${nft.#table}`);
    return nft;
  }

  /** Commits one command line; throws HarnessError `lab-failed` with nft's words when it was refused (nothing of it holds then). */
  execute(command: string): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const late = new HarnessError('timeout', `nft did not acknowledge within ${TIMEOUT_MS} ms: ${command}`);
      const timer = setTimeout(() => this.#end(late), TIMEOUT_MS);
      this.#pending.push({ command, resolve, reject, timer });
      this.#child.stdin?.write(`${command}\nlist table bridge ${this.#table}\n`);
    });
  }

  /** Ends the process; resolves when it is gone. Tables of faults stay: they belong to whoever made them. Idempotent. */
  async close(): Promise<void> {
    this.#child.stdin?.end(`delete table bridge ${this.#table}\n`);
    this.#end(new HarnessError('lab-failed', 'nft is closed'));
    await this.#exited;
  }

  #read(text: string): void {
    this.#output += text;
    const acknowledgement = `table bridge ${this.#table} {\n}\n`;
    for (let at = this.#output.indexOf(acknowledgement); at >= 0; at = this.#output.indexOf(acknowledgement)) {
      const complaint = this.#output.slice(0, at).trim();
      this.#output = this.#output.slice(at + acknowledgement.length);
      const done = this.#pending.shift();
      if (done === undefined) continue;
      clearTimeout(done.timer);
      if (complaint === '') done.resolve();
      else done.reject(new HarnessError('lab-failed', `nft refused: ${complaint}`));
    }
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    for (const { reject, timer } of this.#pending.splice(0)) {
      clearTimeout(timer);
      reject(reason);
    }
  }
}
