import type { Experiment } from '../platform.ts';
import type { ChaosRecord } from './kube-object.ts';

/** How the pods that a cluster says it has hit differ from those that were planned; empty: not at all. A pod is one of its namespace. Pure. */
export function differences(
  { sources, targets, namespaceOf }: Pick<Experiment, 'sources' | 'targets' | 'namespaceOf'>,
  records: readonly Pick<ChaosRecord, 'id'>[],
): readonly string[] {
  const asked = new Set([...sources, ...targets].map((pod) => `${namespaceOf[pod] ?? '?'}/${pod}`));
  // `namespace/pod`, and `/container` for kinds on containers; whatever else it is names no pod that was planned.
  const hit = new Set(records.map(({ id }) => id.split('/').slice(0, 2).join('/')));
  return [...new Set([...asked, ...hit])].filter((pod) => !asked.has(pod) || !hit.has(pod));
}
