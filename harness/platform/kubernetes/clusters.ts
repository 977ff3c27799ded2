import type { Experiment } from '../platform.ts';
import type { Place } from './experiment-watch.ts';
import type { KubeClient } from './kube-client.ts';

export interface Clusters {
  /** Where an experiment of this kind on these pods is to be applied. Throws HarnessError when no cluster has the kind, or all the pods. */
  placeOf(experiment: Experiment): { readonly client: KubeClient; readonly place: Place };
}
