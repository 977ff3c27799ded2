import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { SYSTEM_STATES, type ControllerStatus } from '../health/controller-status.ts';

const VERDICTS = ['healthy', 'suspect', 'blind', 'unknown'];

/** The controller's metrics, in Prometheus' text format. */
export class ControllerMetrics {
  readonly #registry = new Registry();
  readonly #state = this.#gauge('coditect_dr_state', '1 for the present state of the system', ['state']);
  readonly #epoch = this.#gauge('coditect_dr_epoch', 'Epoch of the lease', []);
  readonly #leader = this.#gauge('coditect_dr_leader', '1 where this controller leads', []);
  readonly #paused = this.#gauge('coditect_dr_paused', '1 while no failover begins by itself', []);
  readonly #awaiting = this.#gauge('coditect_dr_awaiting_approval', '1 for what a failover waits for an operator for', ['blocker']);
  readonly #observers = this.#gauge('coditect_dr_observer_verdict', '1 for the present verdict of each observer', ['observer', 'verdict']);
  readonly #failovers = new Counter({
    name: 'coditect_dr_failovers_total',
    help: 'Failovers that this controller brought to an end, by result',
    labelNames: ['result'],
    registers: [this.#registry],
  });
  readonly #steps = new Histogram({
    name: 'coditect_dr_failover_step_seconds',
    help: 'Time spent in each step of a failover',
    labelNames: ['step'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120],
    registers: [this.#registry],
  });

  /** A failover went from one step to another. */
  stepTook(step: string, seconds: number): void {
    this.#steps.observe({ step }, seconds);
  }

  failoverEnded(result: 'verified' | 'unverified' | 'aborted' | 'undone'): void {
    this.#failovers.inc({ result });
  }

  async text(status: ControllerStatus): Promise<string> {
    for (const state of SYSTEM_STATES) this.#state.set({ state }, status.state === state ? 1 : 0);
    this.#epoch.set(status.epoch);
    this.#leader.set(status.leads ? 1 : 0);
    this.#paused.set(status.paused === undefined ? 0 : 1);
    this.#awaiting.reset();
    if (status.awaiting !== undefined) this.#awaiting.set({ blocker: status.awaiting.blocker }, 1);
    for (const [observer, { verdict }] of Object.entries(status.observers)) {
      for (const each of VERDICTS) this.#observers.set({ observer, verdict: each }, verdict === each ? 1 : 0);
    }
    return this.#registry.metrics();
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }
}
