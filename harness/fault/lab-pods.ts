import type { Pod } from '../platform/platform.ts';
import { NAMESPACE } from '../platform/local/topology.ts';
import type { Topology } from '../platform/local/topology.ts';

/** The pods of a lab that is not running, as a selector would see them: one container each, a node a region. */
export function labPods(topology: Topology): readonly Pod[] {
  return topology.pods.map((pod) => ({
    name: pod.name,
    namespace: NAMESPACE,
    region: pod.region,
    labels: pod.labels,
    annotations: {},
    node: pod.region,
    phase: 'Running',
    containers: [pod.app],
    addresses: [pod.ipv4, pod.ipv6],
  }));
}
