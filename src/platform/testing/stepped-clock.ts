import type { Clock } from '../clock.ts';

/** Time that goes on when everybody sleeps, to whoever wakes up first. */
export class SteppedClock implements Clock {
  #nowMs = 0;
  readonly #sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];
  monotonicMs(): number {
    return this.#nowMs;
  }
  wall(): Date {
    return new Date(this.#nowMs);
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const wake = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const sleeper = { untilMs: this.#nowMs + ms, wake };
      const abort = (): void => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        reject(signal?.reason as Error);
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
  async until(ms: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [first] = this.#sleepers.toSorted((a, b) => a.untilMs - b.untilMs);
      if (first === undefined || first.untilMs > ms) break;
      this.#sleepers.splice(this.#sleepers.indexOf(first), 1);
      this.#nowMs = first.untilMs;
      first.wake();
    }
    this.#nowMs = ms;
  }
}
