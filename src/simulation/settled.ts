import { journalIsOpen } from '../arbiter/arbiter.ts';
import { REGIONS } from './simulated-config.ts';
import type { World } from './world.ts';
import type { Clients } from './clients.ts';

/** What keeps the system from being whole again, in words; null when one primary serves, everybody follows, and the name points to it. */
export function whyNotSettled(world: World, clients: Clients, sinceMs: number): string | null {
  const { lease, failover, leader } = world.etcd.records;
  if (lease === null || lease.value.holder === null) return 'no region holds the lease';
  if (leader === null) return 'no controller leads';
  const { holder, epoch } = lease.value;
  if (failover !== null && journalIsOpen(failover.value)) return `the run ${failover.value.runId} stands at ${failover.value.step}`;
  const node = world.databases.get(holder)?.node;
  if (node === undefined || !node.writable || node.epoch !== epoch) return `${holder} holds epoch ${epoch} and does not serve`;
  const { route } = world.dns;
  if (route?.region !== holder || route.epoch !== epoch)
    return `the name points to ${route?.region ?? 'nobody'} in epoch ${route?.epoch ?? 0}`;
  const standbys = node.primary?.standbys() ?? {};
  const missing = REGIONS.filter((region) => region !== holder && standbys[region]?.inSync !== true);
  if (missing.length > 0) return `${missing.join(', ')} is not in sync with ${holder}`;
  return (clients.servedAtMs.get(epoch) ?? 0) > sinceMs ? null : `no client was served in epoch ${epoch}`;
}
