import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { installAnswerParser } from './answer-body.ts';
import { LightAbortController, LightAbortSignal } from './light-abort.ts';
import { SimulatedProcess } from './simulated-process.ts';
import type { Happening } from './virtual-time.ts';
import type { World } from './world.ts';

/** Whose code is running in this thread. */
let world: World | null = null;
let ids = 0;

/** From now on this thread's stand-ins belong to this world. */
export function enterWorld(entered: World | null): void {
  world = entered;
  ids = 0;
}

/**
 * Puts virtual timers, light AbortSignals, counted ids and answers that were never text in the place of Node's own, for the rest of this thread's life: the programs run unchanged, and what they take from Node
 * instead of from their injected clock is simulated too. Only for a worker thread of the simulator.
 */
export function installStandIns(): void {
  const stand = globalThis as unknown as Record<string, unknown>;
  stand['setTimeout'] = (run: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) =>
    new Timer(given.length === 0 ? run : () => run(...given), ms ?? 1, false);
  stand['setInterval'] = (run: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) =>
    new Timer(() => run(...given), ms ?? 1, true);
  stand['clearTimeout'] = clear;
  stand['clearInterval'] = clear;
  stand['AbortController'] = LightAbortController;
  stand['AbortSignal'] = LightAbortSignal;
  installAnswerParser();
  crypto.randomUUID = () => `id-${++ids}-of-this-world` as ReturnType<typeof crypto.randomUUID>;
  syncBuiltinESMExports();
  // A promise that nobody catches would end a real program.
  process.on('unhandledRejection', (error) =>
    world?.judge.watch(() => {
      throw error;
    }),
  );
}

function clear(timer: unknown): void {
  if (timer instanceof Timer) timer.clear();
}

/** As much of NodeJS.Timeout as is used. It belongs to the process whose code made it. */
class Timer {
  readonly #run: () => void;
  readonly #ms: number;
  readonly #repeats: boolean;
  readonly #process: SimulatedProcess;
  #happening: Happening | null = null;

  constructor(run: () => void, ms: number, repeats: boolean) {
    const current = world?.time.current;
    if (!(current instanceof SimulatedProcess)) throw new RangeError('a timer outside of every simulated process');
    this.#run = run;
    this.#ms = ms;
    this.#repeats = repeats;
    this.#process = current;
    this.refresh();
  }

  refresh(): this {
    this.clear();
    this.#happening = this.#process.timer(this.#ms, () => {
      if (this.#repeats) this.refresh();
      this.#run();
    });
    return this;
  }

  clear(): void {
    if (this.#happening !== null) this.#happening.cancelled = true;
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}
