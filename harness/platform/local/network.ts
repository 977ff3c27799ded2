import { readdir } from 'node:fs/promises';
import { run } from '../process.ts';
import { PREFIX_LENGTH, type PodSpec, type Topology } from './topology.ts';

export const NETNS_FOLDER = '/run/netns';
/** All links that we make are in one group: deleting the group is one command (and one grace period in the kernel). */
const LINK_GROUP = '77';

/**
 * Makes the bridge, and for every pod a namespace and a veth with its addresses. Must run inside the sandbox (its own network namespace
 * and /run). Everything is usable when this resolves: no STP delay, no duplicate address detection, neighbours are permanent entries.
 * Throws HarnessError `lab-failed` with the command that failed; what was made until then is removed by removeNetwork.
 */
export async function makeNetwork(topology: Topology, signal: AbortSignal): Promise<void> {
  await run('ip', ['-batch', '-'], { input: bridgeBatch(topology), signal });
  await Promise.all(topology.pods.map((pod) => run('ip', ['-n', pod.netns, '-batch', '-'], { input: podBatch(topology, pod), signal })));
}

/** Removes what makeNetwork made, also when that stopped half way. Idempotent. */
export async function removeNetwork(topology: Topology): Promise<void> {
  await run('ip', ['link', 'delete', 'group', LINK_GROUP]);
  const there = new Set(await namespaces());
  const lines = topology.pods.filter((pod) => there.has(pod.netns)).map((pod) => `netns delete ${pod.netns}`);
  if (lines.length > 0) await run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** The named network namespaces that exist. */
export async function namespaces(): Promise<readonly string[]> {
  return readdir(NETNS_FOLDER).catch(() => []);
}

/** The commands in the sandbox's own namespace: the bridge, the pods' namespaces, the veths. Pure. */
export function bridgeBatch(topology: Topology): string {
  const { bridge, pods } = topology;
  const lines = [
    `link add ${bridge.name} address ${bridge.mac} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${bridge.name} addrgenmode none group ${LINK_GROUP} up`,
    `addr add ${bridge.ipv4}/${PREFIX_LENGTH.v4} dev ${bridge.name}`,
    `addr add ${bridge.ipv6}/${PREFIX_LENGTH.v6} dev ${bridge.name} nodad`,
    ...pods.map((pod) => `netns add ${pod.netns}`),
    ...pods.flatMap((pod) => [
      `link add ${pod.bridgePort} type veth peer name eth0 netns ${pod.netns} address ${pod.mac}`,
      `link set ${pod.bridgePort} master ${bridge.name} addrgenmode none group ${LINK_GROUP} up`,
    ]),
    ...pods.flatMap((pod) => neighbour(pod, bridge.name)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The commands in one pod's namespace. Pure. */
export function podBatch(topology: Topology, pod: PodSpec): string {
  const others = [topology.bridge, ...topology.pods.filter((other) => other !== pod)];
  const lines = [
    'link set lo up',
    'link set eth0 addrgenmode none up',
    `addr add ${pod.ipv4}/${PREFIX_LENGTH.v4} dev eth0`,
    `addr add ${pod.ipv6}/${PREFIX_LENGTH.v6} dev eth0 nodad`,
    ...others.flatMap((other) => neighbour(other, 'eth0')),
  ];
  return `${lines.join('\n')}\n`;
}

/** Permanent entries: no ARP or neighbour discovery that a fault could delay beyond its own end, and none at start. */
function neighbour(other: Pick<PodSpec, 'ipv4' | 'ipv6' | 'mac'>, device: string): readonly string[] {
  return [other.ipv4, other.ipv6].map((address) => `neigh add ${address} lladdr ${other.mac} dev ${device} nud permanent`);
}
