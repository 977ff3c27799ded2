import type { Clock } from './clock.ts';

/**
 * Who owns what was started: closed in reverse order, each within its own budget, every failure collected. Own a thing before it is
 * started, so that a start that fails half-way is taken back too.
 */
export class Scope {
  readonly #closers: { readonly what: string; readonly close: () => Promise<unknown> }[] = [];
  readonly #clock: Clock;
  readonly #budgetMs: number;

  constructor(clock: Clock, budgetMs: number) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
  }

  own(what: string, close: () => Promise<unknown>): void {
    this.#closers.push({ what, close });
  }

  /** Never rejects; returns what could not be closed, empty when all could. Idempotent. */
  async close(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      const { what, close } = closer;
      const enough = new AbortController();
      const late = this.#clock.sleep(this.#budgetMs, enough.signal).then(
        () => `took longer than ${this.#budgetMs} ms`,
        () => undefined,
      );
      const problem = await Promise.race([close().then(() => undefined, describe), late]);
      enough.abort(new Error('closed'));
      if (problem !== undefined) problems.push(`${what}: ${problem}`);
    }
    return problems;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
