import { backMs } from '../fault/effect.ts';
import { linkKey } from '../fault/links.ts';
import { eventsOf, type Lined, type RunView } from '../measure/view.ts';

/** A link or a pod that was as before again at this instant. */
interface Back {
  readonly what: string;
  readonly atMs: number;
}

/**
 * What a fault had taken away and what was there again before it was healed: each link and pod counts, since an arbiter of which one member comes
 * back is no arbiter without a quorum. Earliest first; links as far as beacons watched them.
 */
export function backBefore(view: RunView, plan: Lined<'fault-planned'>, after: Lined<'fault-effect'>, healedMs: number): readonly Back[] {
  const { expected, fault } = plan;
  const back = expected.kind === 'links-cut' ? linksOf(after) : expected.kind === 'processes-gone' ? podsOf(view, fault, expected) : [];
  return back.filter(({ atMs }) => atMs < healedMs).toSorted((a, b) => a.atMs - b.atMs);
}

function linksOf({ evidence }: Lined<'fault-effect'>): readonly Back[] {
  const beacons = evidence.kind === 'links' ? evidence.beacons : [];
  return beacons.flatMap((beacon) => {
    const atMs = backMs(beacon);
    return atMs === null ? [] : [{ what: linkKey(beacon.from, beacon.to, beacon.family), atMs }];
  });
}

/** Pods that are replaced start again by themselves; those that are held do not. */
function podsOf(view: RunView, fault: string, { pods, afterwards }: { pods: readonly string[]; afterwards: string }): readonly Back[] {
  const injected = eventsOf(view.events, 'fault-injected').find((event) => event.fault === fault);
  if (afterwards !== 'held' || injected === undefined) return [];
  const seenMs = eventsOf(view.events, 'fault-effect').find((one) => one.fault === fault && one.moment === 'during')?.atMs ?? Infinity;
  return eventsOf(view.events, 'pod').flatMap(({ pod, change, atMs }) => {
    // One that is deleted while it is held down gives its place to another, whose name nobody knows.
    const isOver = (change === 'started' && atMs > injected.requestedMs) || (change === 'killed' && atMs > seenMs);
    return isOver && pods.includes(pod) ? [{ what: pod, atMs }] : [];
  });
}
