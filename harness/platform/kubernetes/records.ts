import type { Experiment } from '../platform.ts';
import { condition, type ChaosObject, type ChaosRecord } from './kube-object.ts';

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

const INJECTED = 'Injected';
export const recordsOf = ({ status }: ChaosObject): readonly ChaosRecord[] => status?.experiment?.containerRecords ?? [];

/** Whether a cluster says that all of an experiment is injected: each of its records as well, of which the condition is a summary of some moments ago. What is being deleted is being taken back. Pure. */
export const isInjected = (object: ChaosObject): boolean =>
  condition(object, 'AllInjected') &&
  object.metadata.deletionTimestamp === undefined &&
  recordsOf(object).every(({ phase }) => phase === INJECTED);

/** How a cluster says that an experiment, which was injected and should last, does not; undefined: it does. Pure. */
export function endedAs(object: ChaosObject, isGone: boolean): string | undefined {
  if (isGone) return 'it is gone';
  if (object.metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (condition(object, 'Paused')) return 'it is paused';
  if (condition(object, 'AllRecovered')) return 'it is recovered';
  const not = recordsOf(object).flatMap(({ id, phase }) => (phase === INJECTED ? [] : [`${id} ${phase}`]));
  if (not.length > 0) return `it is injected no longer: ${not.join(', ')}`;
  return condition(object, 'AllInjected') ? undefined : 'it is no longer AllInjected';
}
