import { judgeLinks, type LinkEvidence } from '../fault/effect.ts';
import { linkKey } from '../fault/links.ts';
import type { Beacon, EventBody, Link, ReachabilityCell, RunEvent } from '../history/event.ts';

export interface HandmadeFault {
  readonly fault: string;
  readonly t0Ms: number;
  readonly t1Ms: readonly [number, number];
  readonly healedMs: number;
}

const PODS = ['api-us-central1', 'api-us-east1', 'api-europe-west1'];
const FAMILIES = [4, 6] as const;
const link = (from: string, to: string): Link => ({ from, to, families: FAMILIES });
/** us-central1 is cut from both others. */
const CUT = PODS.slice(1).flatMap((pod) => [link('api-us-central1', pod), link(pod, 'api-us-central1')]);
const AFTER_MS = 60;

/** Everything that the record of one partition holds, with the evidence for each moment. */
export function partitionEvents({ fault, t0Ms, t1Ms, healedMs }: HandmadeFault): readonly RunEvent[] {
  const expected = { kind: 'links-cut', pods: PODS, cut: CUT, unobservable: [] } as const;
  const planned: EventBody = {
    kind: 'fault-planned',
    fault,
    manifestFile: 'isolation.yaml',
    manifestSha256: '0'.repeat(64),
    manifestKind: 'NetworkChaos',
    action: 'partition',
    mode: 'all',
    seed: 1,
    sources: [{ pod: 'api-us-central1', region: 'us-central1' }],
    targets: [],
    expected,
    notes: [],
  };
  const seen = (atMs: number, moment: LinkEvidence['moment'], beacon: Partial<Beacon> | null): readonly RunEvent[] => {
    const cells = sweep(moment === 'during');
    const beacons = beacon === null ? [] : [beaconOf(beacon)];
    const effect = judgeLinks({ fault, moment, expected, cells, beacons, elsewhere: [] });
    return [stamp(atMs, { kind: 'reachability', moment, fault, cells }), stamp(atMs, effect)];
  };
  const [lastArrivedSentMs, firstLostSentMs] = t1Ms;
  return [
    stamp(t0Ms - 1, planned),
    ...seen(t0Ms - 1, 'before', null),
    stamp(t0Ms + 4, { kind: 'fault-injected', fault, requestedMs: t0Ms, acknowledgedMs: t0Ms + 4 }),
    ...seen(t1Ms[1] + AFTER_MS, 'during', { lastArrivedSentMs, firstLostSentMs, lastLostSentMs: firstLostSentMs + 10 }),
    stamp(healedMs + 4, { kind: 'fault-healed', fault, requestedMs: healedMs, acknowledgedMs: healedMs + 4 }),
    ...seen(healedMs + AFTER_MS, 'after-heal', {
      firstLostSentMs,
      lastLostSentMs: healedMs,
      firstArrivedAgainSentMs: healedMs + 10,
    }),
  ];
}

function sweep(cut: boolean): readonly ReachabilityCell[] {
  const gone = new Set(cut ? CUT.map(({ from, to }) => linkKey(from, to, 4)) : []);
  return PODS.flatMap((from) =>
    PODS.filter((to) => to !== from).flatMap((to) =>
      FAMILIES.map((family) => ({ from, to, family, sent: 3, received: gone.has(linkKey(from, to, 4)) ? 0 : 3 })),
    ),
  );
}

function beaconOf(change: Partial<Beacon>): Beacon {
  const silent = { lastArrivedSentMs: null, firstLostSentMs: null, lastLostSentMs: null, firstArrivedAgainSentMs: null };
  return { from: 'api-us-central1', to: 'api-us-east1', family: 4, sent: 100, received: 50, ...silent, ...change };
}

function stamp(atMs: number, body: EventBody): RunEvent {
  return { atMs, wall: new Date(1_700_000_000_000 + atMs).toISOString(), ...body };
}
