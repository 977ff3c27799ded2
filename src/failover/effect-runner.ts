import type { Clock } from '../platform/clock.ts';
import type { Effect, Event } from './state.ts';

export interface EffectRunnerOptions {
  readonly clock: Clock;
  /** Pause before an effect that brought nothing is begun again. */
  readonly retryMs: number;
  readonly perform: (effect: Effect, signal: AbortSignal) => Promise<Event | null>;
  readonly onEvent: (event: Event) => void;
  readonly onError: (effect: Effect, error: unknown) => void;
}

interface UnderWay {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Keeps just those effects under way that are wanted now: begins what is missing, cancels what is not wanted any more, begins again what ended in vain. */
export class EffectRunner {
  readonly #options: EffectRunnerOptions;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #notBeforeMs = new Map<string, number>();
  #stopped = false;

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
  }

  want(effects: readonly Effect[]): void {
    if (this.#stopped) return;
    if (effects.length === 0 && this.#underWay.size === 0 && this.#notBeforeMs.size === 0) return;
    const wanted = new Map(effects.map((effect) => [JSON.stringify(effect), effect]));
    for (const [key, { abort }] of this.#underWay) if (!wanted.has(key)) abort.abort(new Error('not wanted any more'));
    for (const key of this.#notBeforeMs.keys()) if (!wanted.has(key)) this.#notBeforeMs.delete(key);
    for (const [key, effect] of wanted) {
      if (this.#underWay.has(key) || this.#options.clock.monotonicMs() < (this.#notBeforeMs.get(key) ?? 0)) continue;
      this.#begin(key, effect);
    }
  }

  /** Cancels everything, waits for its end, and begins nothing any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const all = [...this.#underWay.values()];
    for (const { abort } of all) abort.abort(new Error('stopped'));
    await Promise.all(all.map(({ done }) => done));
  }

  #begin(key: string, effect: Effect): void {
    const { clock, perform, onEvent, onError, retryMs } = this.#options;
    const abort = new AbortController();
    const run = async (): Promise<void> => {
      let event: Event | null = null;
      try {
        event = await perform(effect, abort.signal);
      } catch (error) {
        if (!abort.signal.aborted) onError(effect, error);
      }
      this.#underWay.delete(key);
      if (abort.signal.aborted) return;
      this.#notBeforeMs.set(key, clock.monotonicMs() + retryMs);
      if (event !== null) onEvent(event);
    };
    this.#underWay.set(key, { abort, done: run() });
  }
}
