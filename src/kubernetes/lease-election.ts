import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Cluster } from './cluster.ts';
import type { KubernetesConfig } from './config.ts';
import { decide, sight, type Sighting } from './election.ts';

export interface ElectionDeps {
  readonly cluster: Pick<Cluster, 'readLease' | 'writeLease' | 'markActive' | 'unmarkActive'>;
  readonly config: KubernetesConfig;
  readonly clock: Clock;
  readonly log: Log;
}

interface Term {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  failure: unknown;
}

/**
 * Keeps this pod in the election for its region's Lease, and `work` running while it has it. A holder ends its work when it reads that another has the Lease. One that merely cannot reach the API
 * server goes on: nobody else could take the Lease there, and if somebody could, two active controllers of a region are one observer. Ends when the signal does (the Lease is given back, so that
 * the next pod need not wait it out), or rejects with what `work` failed with.
 */
export class LeaseElection {
  readonly #deps: ElectionDeps;
  readonly #work: (signal: AbortSignal) => Promise<void>;
  #seen: Sighting = { version: null, sinceMs: 0 };
  #term: Term | null = null;
  #trouble: string | null = null;

  constructor(deps: ElectionDeps, work: (signal: AbortSignal) => Promise<void>) {
    this.#deps = deps;
    this.#work = work;
  }

  get active(): boolean {
    return this.#term !== null;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#deps;
    this.#seen = { version: null, sinceMs: clock.monotonicMs() };
    try {
      while (!signal.aborted) {
        await this.#turn(signal).catch((error: unknown) => this.#troubled(error, signal));
        const term = this.#term;
        await Promise.race([
          clock.sleep(config.renew_seconds * 1000, signal).catch(() => undefined),
          ...(term === null ? [] : [term.ended]),
        ]);
        if (term?.failure !== undefined) throw term.failure;
      }
    } finally {
      await this.#step(true);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { cluster, config, clock, log } = this.#deps;
    const lease = await cluster.readLease(signal);
    this.#seen = sight(this.#seen, lease, clock.monotonicMs());
    const decided = decide(lease, this.#seen, config.pod, clock.monotonicMs(), config.lease_seconds * 1000);
    const mine =
      decided.move !== 'wait' &&
      (await cluster.writeLease(config.pod, clock.wall(), decided.move === 'write' && decided.transition, signal));
    if (this.#trouble !== null) log.info('kubernetes_reached', { after: this.#trouble });
    this.#trouble = null;
    if (mine) await this.#begin(signal);
    else if (this.#term !== null && decided.move === 'wait') {
      log.warn('lease_taken', { holder: lease?.holder });
      await this.#step(false);
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { cluster, config, log } = this.#deps;
    if (this.#term === null) {
      log.info('lease_held', { lease: config.lease });
      const stop = new AbortController();
      const term: Term = {
        stop,
        failure: undefined,
        ended: this.#work(stop.signal).catch((error: unknown) => void (term.failure = error)),
      };
      this.#term = term;
    }
    await cluster.markActive(config.pod, signal);
  }

  /** Ends the work; `release`: for good, so the Lease and the label are given back. */
  async #step(release: boolean): Promise<void> {
    const { cluster, config, clock, log } = this.#deps;
    const term = this.#term;
    this.#term = null;
    if (term === null) return;
    term.stop.abort(new Error('another controller of the region is active'));
    await term.ended;
    try {
      await cluster.unmarkActive(config.pod);
      if (release && (await cluster.readLease())?.holder === config.pod) await cluster.writeLease(null, clock.wall(), false);
    } catch (error) {
      log.warn('lease_not_released', { error });
    }
  }

  /** Said once until it is over: it is tried every few seconds. */
  #troubled(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    if (this.#trouble === null) this.#deps.log.warn('kubernetes_unreachable', { error, active: this.active });
    this.#trouble = message;
  }
}
