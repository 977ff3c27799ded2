import type { Clock } from '../platform/clock.ts';
import type { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import type { Log } from '../telemetry/log.ts';
import { EffectRunner } from './effect-runner.ts';
import type { Effect, Event, Facts, Setting, State } from './state.ts';
import { StepClock } from './step-clock.ts';
import { INITIAL, transition } from './transition.ts';

export interface MachineOptions {
  readonly setting: Setting;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<ControllerMetrics, 'stepTook' | 'failoverEnded'>;
  /** Who does not lead decides nothing. */
  readonly isLeading: () => boolean;
  readonly facts: () => Facts;
  readonly perform: (effect: Effect, signal: AbortSignal) => Promise<Event | null>;
  /** An answer changed the state: there may be more to decide at once. */
  readonly onProgress: () => void;
}

const RESULTS: Readonly<Record<string, 'verified' | 'unverified' | 'aborted' | 'undone'>> = {
  failover_verified: 'verified',
  failover_unverified: 'unverified',
  failover_aborted: 'aborted',
  failover_undone: 'undone',
};

/** `transition` as it runs: takes one event after the other, tells what it announces, and keeps just those effects under way that it wants. */
export class Machine {
  readonly #options: MachineOptions;
  readonly #effects: EffectRunner;
  readonly #steps: StepClock;
  #state: State = INITIAL;

  constructor(options: MachineOptions) {
    const { setting, clock, log, metrics, perform } = options;
    this.#options = options;
    this.#steps = new StepClock((step, seconds) => metrics.stepTook(step, seconds));
    this.#effects = new EffectRunner({
      clock,
      retryMs: setting.policy.probePeriodMs / 2,
      perform,
      onEvent: (event) => this.take(event),
      onError: (effect, error) => log.warn('effect_failed', { effect: effect.kind, error }),
    });
  }

  get state(): State {
    return this.#state;
  }

  /** Nothing where another leads. `known`: the facts, where the caller has just put them together. */
  take(event: Event, known?: Facts): void {
    const { isLeading, facts, setting, log, metrics, clock, onProgress } = this.#options;
    if (!isLeading()) return;
    const before = this.#state;
    const { state, effects, announce } = transition(before, event, known ?? facts(), setting);
    this.#state = state;
    const correlationId = state.kind === 'run' ? state.journal.runId : before.kind === 'run' ? before.journal.runId : undefined;
    for (const { action, details } of announce) {
      log.info(action, details, correlationId);
      const result = RESULTS[action];
      if (result !== undefined) metrics.failoverEnded(result);
    }
    this.#steps.at(state.kind === 'run' ? state.journal.step : null, clock.monotonicMs());
    this.#effects.want(effects);
    if (state !== before && event.kind !== 'tick') onProgress();
  }

  /** What it believed goes with the leadership; what it had begun is in the journal. */
  forget(): void {
    this.#state = INITIAL;
    this.#effects.want([]);
  }

  /** Cancels what is under way, waits for its end, and begins nothing more. */
  stop(): Promise<void> {
    return this.#effects.stop();
  }
}
