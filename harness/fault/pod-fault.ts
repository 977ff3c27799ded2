import type { ExpectedEffect } from '../history/event.ts';
import type { Pod, Primitive } from '../platform/platform.ts';
import type { FaultHeader, Planning, PlanInput } from './fault.ts';
import { seededRandom } from './random.ts';
import { select, targetOf, type Selected } from './selector.ts';

/** What all kinds that act on the pods of a selection do alike. */

/** Selects by the run's seed: the same run draws the same pods, and each role of a fault draws for itself. */
export function draw(
  selection: Parameters<typeof select>[0],
  role: 'selector' | 'target',
  { namespace, name }: FaultHeader,
  { pods, seed }: Pick<PlanInput, 'pods' | 'seed'>,
): Selected {
  return select(selection, pods, { namespace, role, random: seededRandom(seed, `${namespace}/${name}/${role}`) });
}

/** One primitive on these pods and nothing else. */
export function onPods(pods: readonly Pod[], primitive: Primitive, expectedEffect: ExpectedEffect, notes: readonly string[]): Planning {
  return { outcome: 'planned', plan: { sources: pods.map(targetOf), targets: [], primitives: [primitive], expectedEffect, notes } };
}

export const durationNote = (duration: number | undefined): string =>
  duration === undefined
    ? 'no duration: lasts until healed'
    : '`duration` counts from the injection; Chaos Mesh counts from the creation of the object, so a slow injection eats the fault';
