import type { FaultPlan } from '../../../fault/fault.ts';
import type { Pod } from '../../platform.ts';
import type { ChaosObject, ChaosRecord, Condition } from '../kube-object.ts';

export const FINALIZER = 'chaos-mesh/records';
export const PAUSE = 'experiment.chaos-mesh.org/pause';
/** Drops the object whatever became of its fault. */
export const CLEAN_FINALIZER = 'chaos-mesh.chaos-mesh.org/cleanFinalizer';

/** What an experiment is to be, as Chaos Mesh says it. */
export type Desired = 'Run' | 'Stop';

/** Deleted, paused or over by its duration, which Chaos Mesh counts from the creation of the object. Pure. */
export function desiredPhase(object: ChaosObject, durationMs: number | null, nowMs: number): Desired {
  const { deletionTimestamp, annotations, creationTimestamp = '' } = object.metadata;
  if (deletionTimestamp !== undefined || annotations?.[PAUSE] === 'true') return 'Stop';
  return durationMs !== null && nowMs >= Date.parse(creationTimestamp) + durationMs ? 'Stop' : 'Run';
}

export interface Progress {
  readonly selected: boolean;
  readonly injected: boolean;
  readonly paused: boolean;
}

/** The four conditions of Chaos Mesh. Pure. */
export function conditionsOf({ selected, injected, paused }: Progress): readonly Condition[] {
  const is = (type: string, value: boolean): Condition => ({ type, status: value ? 'True' : 'False', reason: '' });
  return [
    is('Selected', selected),
    is('AllInjected', selected && injected),
    is('AllRecovered', selected && !injected),
    is('Paused', paused),
  ];
}

interface Operation {
  readonly operation: 'Apply' | 'Recover';
  readonly ok: boolean;
  readonly message?: string;
  readonly at: string;
}

/** A record for each pod that the plan acts on: sources under `.`, targets of a partition under `.Target`, as Chaos Mesh keeps them. Pure. */
export function recordsOf(plan: FaultPlan, namespaceOf: (pod: string) => string, withContainer: (pod: string) => string): ChaosRecord[] {
  const entry = (selectorKey: string, pod: string): ChaosRecord => ({
    id: `${namespaceOf(pod)}/${withContainer(pod)}`,
    selectorKey,
    phase: 'Not Injected',
    injectedCount: 0,
    recoveredCount: 0,
    events: [],
  });
  return [...plan.sources.map(({ pod }) => entry('.', pod)), ...plan.targets.map(({ pod }) => entry('.Target', pod))];
}

/** What an operation on all of them leaves in the records. Pure. */
export function afterOperation(records: readonly ChaosRecord[], { operation, ok, message, at }: Operation): ChaosRecord[] {
  return records.map((record) => ({
    ...record,
    phase: ok ? (operation === 'Apply' ? 'Injected' : 'Not Injected') : record.phase,
    injectedCount: record.injectedCount + (ok && operation === 'Apply' ? 1 : 0),
    recoveredCount: record.recoveredCount + (ok && operation === 'Recover' ? 1 : 0),
    events: [
      ...(record.events ?? []),
      { operation, type: ok ? 'Succeeded' : 'Failed', timestamp: at, ...(message === undefined ? {} : { message }) },
    ],
  }));
}

const ON_CONTAINERS: readonly string[] = ['StressChaos', 'TimeChaos', 'DNSChaos', 'IOChaos', 'JVMChaos'];

/** Kinds on containers name the container as well. Pure. */
export function recordName(kind: string, action: string, pod: Pod): string {
  const onContainers = (kind === 'PodChaos' && action === 'container-kill') || ON_CONTAINERS.includes(kind);
  return onContainers ? `${pod.name}/${pod.containers[0] ?? ''}` : pod.name;
}
