import { EngineError } from '../platform/errors.ts';

interface Waiting {
  readonly write: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Collects writes that arrive while a transaction is being made durable and gives them to the next one, in order: one sync for all of them.
 * `transact` runs the writes in one transaction and resolves when it is durable. After its first failure everything is refused.
 */
export class GroupCommit {
  readonly #transact: (writes: () => void) => Promise<void>;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #broken: EngineError | null = null;

  constructor(transact: (writes: () => void) => Promise<void>) {
    this.#transact = transact;
  }

  /** Resolves when `write` is durable, together with everything that was added before it. */
  add(write: () => void): Promise<void> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Throws what broke it, if anything did. */
  check(): void {
    if (this.#broken !== null) throw this.#broken;
  }

  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    // Writes of this same turn of the event loop still join the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#transact(() => group.forEach(({ write }) => write()));
      } catch (cause) {
        this.#broken = new EngineError('database-broken', 'a write to the disk failed; what is stored is not known any more', cause);
        for (const { reject } of [...group, ...this.#waiting]) reject(this.#broken);
        this.#waiting = [];
        break;
      }
      for (const { resolve } of group) resolve();
    }
    this.#running = null;
  }
}
