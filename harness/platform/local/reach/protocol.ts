import type { ReachabilityCell } from '../../../history/event.ts';
import type { Beacon } from '../../../history/event.ts';

/** A pod as the reach process needs it: where its namespace is and under which addresses the others find it. */
export interface ReachPod {
  readonly name: string;
  /** Path of the network namespace, e.g. `/run/netns/db-us-east1`. */
  readonly netnsPath: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface Pair {
  readonly from: string;
  readonly to: string;
}

/** What the runner asks of the reach process, each with a number that the answer carries. */
export type Request =
  | { readonly id: number; readonly ask: 'start'; readonly pods: readonly ReachPod[]; readonly originNs: string }
  | { readonly id: number; readonly ask: 'sweep'; readonly pods: readonly string[] }
  | { readonly id: number; readonly ask: 'watch'; readonly watch: number; readonly pairs: readonly Pair[]; readonly periodMs: number }
  | { readonly id: number; readonly ask: 'stop'; readonly watch: number };

export type Answer =
  | { readonly id: number; readonly ok: true; readonly cells?: readonly ReachabilityCell[]; readonly beacons?: readonly Beacon[] }
  | { readonly id: number; readonly ok: false; readonly message: string };

export const FAMILIES = [4, 6] as const;
export type Family = (typeof FAMILIES)[number];
