import { eventsOf, type RunView } from '../measure/view.ts';

/**
 * Vantages whose own client was among the pods that a fault killed, and when it was asked for: what they do not tell from then on is no gap of the record. Those of a service with an API of its own are in
 * no pod, whatever its pods are called.
 */
export function clientsHit(view: RunView): ReadonlyMap<string, number> {
  if (view.started.ledger === 'templates') return new Map();
  const killed = eventsOf(view.events, 'fault-planned').filter((plan) => plan.manifestKind === 'PodChaos');
  const injected = eventsOf(view.events, 'fault-injected');
  const hits = killed.flatMap((plan) => {
    const atMs = injected.find(({ fault }) => fault === plan.fault)?.requestedMs ?? plan.atMs;
    return plan.sources.flatMap(({ pod, region }) => (isClientOf(pod, region) ? [[region, atMs] as const] : []));
  });
  return new Map(hits.toSorted(([, a], [, b]) => b - a)); // of several the first
}

/** In a cluster a StatefulSet has numbered its only pod. */
const isClientOf = (pod: string, region: string): boolean => [`client-${region}`, `client-${region}-0`].includes(pod);
