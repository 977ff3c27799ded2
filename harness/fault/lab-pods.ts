import { podAsSeen, type Topology } from '../platform/local/topology.ts';
import type { Pod } from '../platform/platform.ts';

/** The pods of a lab that is not running, as a selector would see them if it were. */
export function labPods(topology: Topology): readonly Pod[] {
  return topology.pods.map((pod) => podAsSeen(pod, 'Running'));
}
