import type { ControllerStatus } from '../health/controller-status.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Cluster } from './cluster.ts';
import type { Workload } from './config.ts';
import { planWorkload, wantedOf, type WorkloadMove } from './workload-plan.ts';

/** While a run is under way a look costs nothing beside what it saves. */
const PERIOD_MS = 500;
const IDLE_PERIOD_MS = 5000;

export interface WorkloadDeps {
  readonly cluster: Pick<Cluster, 'readDeployment' | 'patchDeployment'>;
  readonly region: string;
  readonly workloads: readonly Workload[];
  readonly clock: Clock;
  readonly log: Log;
  readonly status: () => Pick<ControllerStatus, 'primary' | 'epoch' | 'run'>;
}

/**
 * Keeps the Deployments of this region at the size of what the region is: a primary or a standby. Each region's own controller does so in its own cluster, from what the arbiter says, again and
 * again: no credentials of other clusters, nothing to resume when a controller dies, and what failed is tried again. A failover never waits for it.
 */
export class Workloads {
  readonly #deps: WorkloadDeps;
  /** What was told last of each, so that it is told once. */
  readonly #told = new Map<string, string>();

  constructor(deps: WorkloadDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { workloads, clock } = this.#deps;
    if (workloads.length === 0) return;
    while (!signal.aborted) {
      const settled = await Promise.all(workloads.map((workload) => this.#reconcile(workload, signal)));
      await clock.sleep(settled.every(Boolean) ? IDLE_PERIOD_MS : PERIOD_MS, signal).catch(() => undefined);
    }
  }

  /** Whether there is nothing more to do for now. */
  async #reconcile(workload: Workload, signal: AbortSignal): Promise<boolean> {
    const { cluster, region, status, log } = this.#deps;
    const wanted = wantedOf(region, status());
    if (wanted === null) return false;
    const name = workload.deployment;
    try {
      const view = await cluster.readDeployment(name, signal);
      const planned = planWorkload(view, workload, wanted);
      if (planned.move === 'patch') {
        const made = await cluster.patchDeployment(name, view.version, planned, signal);
        if (made !== null && planWorkload(made, workload, wanted).move === 'patch')
          throw new Error('the server answered something else than what was patched');
      }
      this.#tell(name, planned, { deployment: name, ...wanted, ...planned });
      return planned.move === 'none' || planned.move === 'passed';
    } catch (error) {
      if (!signal.aborted && this.#told.get(name) !== 'failed') log.warn('workload_failed', { deployment: name, error });
      this.#told.set(name, 'failed');
      return false;
    }
  }

  #tell(name: string, { move }: WorkloadMove, details: Readonly<Record<string, unknown>>): void {
    const before = this.#told.get(name);
    this.#told.set(name, move);
    if (move === before) return;
    if (move === 'patch') this.#deps.log.info('workload_patched', details);
    else if (move === 'none' && before !== undefined) this.#deps.log.info('workload_ready', details);
    else if (move === 'passed') this.#deps.log.warn('workload_passed', details);
  }
}
