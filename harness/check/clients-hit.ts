import { eventsOf, type RunView } from '../measure/view.ts';

/** Vantages whose own client was among the pods that a fault killed: what they do not tell is no gap of the record. Those of a service with an API of its own are in no pod, whatever its pods are called. */
export function clientsHit(view: RunView): ReadonlySet<string> {
  if (view.started.ledger === 'templates') return new Set();
  const killed = eventsOf(view.events, 'fault-planned').filter((plan) => plan.manifestKind === 'PodChaos');
  return new Set(killed.flatMap((plan) => plan.sources.flatMap(({ pod, region }) => (isClientOf(pod, region) ? [region] : []))));
}

/** In a cluster a StatefulSet has numbered its only pod. */
const isClientOf = (pod: string, region: string): boolean => [`client-${region}`, `client-${region}-0`].includes(pod);
