import type { Experiment, Pod } from '../platform/platform.ts';
import type { Fault, FaultPlan } from './fault.ts';

export interface PlannedExperiment {
  /** What it is called in the record. */
  readonly name: string;
  readonly experiment: Fault;
  readonly plan: FaultPlan;
}

/** What a platform is given that takes manifests. `pods`: those that were planned with; `narrowed`: only the pod that set it off is to be hit. Pure. */
export function experimentOf({ name: fault, experiment, plan }: PlannedExperiment, pods: readonly Pod[], narrowed: boolean): Experiment {
  const { kind, namespace, name, mode, document, opaque = false } = experiment;
  const [sources, targets] = [plan.sources, plan.targets].map((of) => of.map(({ pod }) => pod)) as [string[], string[]];
  const hit = new Set([...sources, ...targets]);
  const named = Map.groupBy(
    pods.filter((pod) => hit.has(pod.name)),
    (pod) => pod.name,
  );
  // Of namesakes nobody could say which was meant: what has no namespace was not hit.
  const namespaceOf = Object.fromEntries(
    [...named].flatMap(([pod, all]) => (new Set(all.map(({ namespace }) => namespace)).size === 1 ? [[pod, all[0]?.namespace ?? '']] : [])),
  );
  return { fault, kind, namespace, name, mode, document, opaque, sources, targets, namespaceOf, narrowed };
}
