import { eventsOf, type RunView } from '../measure/view.ts';

/** Vantages whose own client was among the pods that a fault killed: what they do not tell is no gap of the record. */
export function clientsHit(view: RunView): ReadonlySet<string> {
  const killed = eventsOf(view.events, 'fault-planned').filter((plan) => plan.manifestKind === 'PodChaos');
  return new Set(killed.flatMap((plan) => plan.sources.flatMap(({ pod, region }) => (isClientOf(pod, region) ? [region] : []))));
}

/** In a cluster a StatefulSet has numbered its only pod. */
const isClientOf = (pod: string, region: string): boolean => [`client-${region}`, `client-${region}-0`].includes(pod);
