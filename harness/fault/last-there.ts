import type { PodProcess } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';

const PERIOD_MS = 20;

/**
 * Looks again and again whether these processes are all there, until one is not. What took them away may come long after it was asked for (by way of an API server), and whoever tells of it tells
 * later still: the kernel's process table is the witness that it had not begun by then. Owner: whoever makes it; stop() ends it.
 */
export class LastThere {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #sawMs: number | undefined;

  constructor(had: readonly PodProcess[], look: () => Promise<readonly PodProcess[]>, clock: Clock) {
    // A look that fails has seen nothing: the beginning stays in doubt from the last one that did.
    this.#running = this.#run(had, look, clock).catch(() => undefined);
  }

  /** When the last look began that saw them all. */
  get sawMs(): number | undefined {
    return this.#sawMs;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('nobody asks any more'));
    await this.#running;
  }

  async #run(had: readonly PodProcess[], look: () => Promise<readonly PodProcess[]>, clock: Clock): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const beganMs = clock.nowMs();
      const now = await look();
      if (!had.every((one) => now.some((other) => sameProcess(one, other) && runs(other)))) return;
      this.#sawMs = beganMs;
      await clock.sleep(PERIOD_MS, this.#stop.signal);
    }
  }
}

/** One that ends is not there any more, and one whose end is only not told yet may be gone for long. */
const runs = ({ state }: PodProcess): boolean => state !== 'X' && state !== '?';

/** A process id that is used again is another process. */
export const sameProcess = (a: PodProcess, b: PodProcess): boolean => a.pid === b.pid && a.startedTicks === b.startedTicks;
