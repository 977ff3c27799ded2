import { isIPv4 } from 'node:net';
import { HarnessError } from '../../errors.ts';
import { FAMILIES, type Family } from '../../local/reach/protocol.ts';
import { isFinished, PODS, resourcePath, type KubePod } from '../kube-object.ts';
import type { Part } from '../parts.ts';
import type { Peer } from './probe-order.ts';

/** All send to all: beyond this it would be the probes that load the system. */
const MOST_PODS = 64;

/** A pod that is to have a probe. */
export interface Probed {
  readonly part: Part;
  readonly pod: KubePod;
  readonly peer: Peer;
  /** Its name in the pod. */
  readonly container: string;
}

/** All pods that run in what the file allows. Throws HarnessError: there are too many, or one has no address. */
export async function podsToProbe(parts: readonly Part[], container: string, signal: AbortSignal): Promise<readonly Probed[]> {
  const found = await Promise.all(
    parts.map(async (part) => {
      const { items } = await part.client.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, part.namespace), { signal });
      return items.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isFinished(pod)).map((pod) => ({ part, pod }));
    }),
  );
  const all = found.flat().toSorted((a, b) => a.pod.metadata.name.localeCompare(b.pod.metadata.name));
  if (all.length > MOST_PODS)
    throw new HarnessError(
      'unsupported',
      `there are ${all.length} pods in these namespaces, and probes go into ${MOST_PODS} at most: all send to all`,
    );
  return all.map(({ part, pod }, number) => ({ part, pod, peer: peerOf(pod, number), container }));
}

/** In which both have addresses. */
export function familiesOf(from: Probed, to: Probed): readonly Family[] {
  const has = ({ peer }: Probed, family: Family): boolean => peer.addresses[family] !== undefined;
  return from === to ? [] : FAMILIES.filter((family) => has(from, family) && has(to, family));
}

/** Throws HarnessError `cluster-failed` for a pod that nobody could send anything to. */
function peerOf({ metadata, status }: KubePod, number: number): Peer {
  const ips = (status?.podIPs ?? []).map(({ ip }) => ip);
  const [ipv4, ipv6] = [ips.find((ip) => isIPv4(ip)), ips.find((ip) => !isIPv4(ip))];
  if (ipv4 === undefined && ipv6 === undefined)
    throw new HarnessError(
      'cluster-failed',
      `no probe can run in ${metadata.namespace}/${metadata.name}: it has no address (${status?.phase ?? 'no phase'})`,
    );
  return { number, addresses: { ...(ipv4 === undefined ? {} : { 4: ipv4 }), ...(ipv6 === undefined ? {} : { 6: ipv6 }) } };
}
