import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../../errors.ts';
import type { Pod } from '../../platform.ts';
import { PODS, resourcePath, type ChaosObject, type KubePod } from '../kube-object.ts';
import { podView } from '../pod-view.ts';
import { Reflector, type Seen } from '../reflector.ts';
import { CHAOS_API, resourceOf } from './crds.ts';
import { Experiment, type ExperimentEnv } from './experiment.ts';

/** How often durations are looked at. */
const TICK_MS = 100;

type ChaosControllerOptions = Omit<ExperimentEnv, 'pods' | 'signal'>;

/**
 * Executes Chaos Mesh's experiments with the fault kinds and acts of the local lab, and keeps conditions, records, finalizers and events as
 * Chaos Mesh does. One experiment knows nothing of another. Owner: the cluster; close() takes back what is still injected.
 */
export class ChaosController {
  readonly #options: ChaosControllerOptions;
  readonly #stop = new AbortController();
  readonly #experiments = new Map<string, Experiment>();
  readonly #pods: Reflector<KubePod>;
  #running: readonly Promise<void>[] = [];

  constructor(options: ChaosControllerOptions) {
    this.#options = options;
    this.#pods = new Reflector<KubePod>(options.client, resourcePath(PODS), () => undefined);
  }

  /** Resolves when every kind is being watched. */
  async start(): Promise<void> {
    const { client, kinds } = this.#options;
    const watched = [...new Set(kinds.map(({ kind }) => kind))].map(
      (kind) =>
        new Reflector<ChaosObject>(client, resourcePath({ apiVersion: CHAOS_API, resource: resourceOf(kind) }), (seen) =>
          this.#onSeen(kind, seen),
        ),
    );
    const { signal } = this.#stop;
    this.#running = [...watched, this.#pods].map((one) => one.run(signal));
    this.#running = [...this.#running, this.#ticks()];
    await Promise.all([...watched, this.#pods].map((one) => one.synced));
  }

  async close(): Promise<void> {
    this.#stop.abort(new HarnessError('lab-failed', 'the chaos controller is closed'));
    await Promise.allSettled([...this.#experiments.values()].map((one) => one.close()));
    await Promise.all(this.#running);
  }

  #onSeen(kind: string, { change, object }: Seen<ChaosObject>): void {
    const uid = object.metadata.uid ?? '';
    const known = this.#experiments.get(uid);
    if (change === 'gone') {
      // Without its finalizer having been taken off by us: somebody forced it away, and its fault goes with it here.
      void known?.close();
      return void this.#experiments.delete(uid);
    }
    const experiment = known ?? new Experiment(this.#env());
    this.#experiments.set(uid, experiment);
    experiment.onSeen({ ...object, apiVersion: CHAOS_API, kind }); // items of a list do not say what they are
  }

  async #ticks(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
      for (const experiment of this.#experiments.values()) experiment.tick();
    }
  }

  #env(): ExperimentEnv {
    const pods = (): readonly Pod[] => this.#pods.objects().map((pod) => podView(pod, ''));
    return { ...this.#options, pods, signal: this.#stop.signal };
  }
}
