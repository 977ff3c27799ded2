import type { Beacon, ExpectedEffect, FaultEffect, Link, ReachabilityCell } from '../history/event.ts';
import { listed, losing, unmeasured } from './effect.ts';
import { keysOf, linkKey } from './links.ts';
import { shareInterval } from './share-interval.ts';

type LinksLossy = Extract<ExpectedEffect, { kind: 'links-lossy' }>;

export interface LossEvidence {
  readonly fault: string;
  readonly moment: FaultEffect['moment'];
  readonly expected: LinksLossy;
  /** One sweep over all pods; none right before the heal. */
  readonly cells: readonly ReachabilityCell[];
  /** Of every link that is to lose, and during the fault of all others as well: what was sent after `sinceMs`, and nothing else. */
  readonly sample: readonly Beacon[];
  readonly sinceMs: number;
  /** during: the same links since before the injection. */
  readonly spanning: readonly Beacon[];
  /** The sample of `before`. */
  readonly before: readonly Beacon[];
  /** Links that other faults of the run change. */
  readonly elsewhere: readonly Link[];
  /** When the injection (during) or the heal (after-heal) was asked for. */
  readonly requestedMs: number;
}

/** Standard deviations: what lies outside of an interval so wide is disproved; what lies inside of one so wide is not proved. */
const DISPROVED = 4;
const PROVED = 3;
/** Networks lose a little. */
const NO_LOSS = 0.02;
/** A dose is known when it is known to within so much, or so much of itself where that is less. */
const TOLERANCE = 0.2;
const widest = (share: number): number => Math.min(TOLERANCE, 0.6 * share);
/** A run of arrivals so unlikely under the loss that was asked for is its end. */
const UNLIKELY = 1e-4;

/** What is counted of a large share may well be a smaller one, of which as many datagrams tell less. */
const variance = (share: number): number => Math.max(share * (1 - share), share > 0.5 ? 0.16 : 0);

/** How many datagrams a link are enough to prove this share, where each sender has so many of the links at least. Pure. */
export const enoughToProve = (share: number, linksOfSender: number): number =>
  Math.max(
    Math.ceil((32 * (1 - share)) / share) + 8,
    Math.ceil((1.3 * DISPROVED ** 2 * variance(share)) / widest(share) ** 2 / Math.max(1, linksOfSender)),
  );

/** How many are enough to tell that there is no such loss. Pure. */
export const enoughToSeeNone = (share: number): number => Math.ceil((16 * (1 - share)) / share) + 8;

/** How many a link are enough to tell so of each, and how little it is of so many links together. Pure. */
export const enoughToExclude = (share: number, links: number): number =>
  Math.max(enoughToSeeNone(share), Math.ceil(80 / share / Math.max(1, links)));

/**
 * Whether the links lose as this moment asks, by what was counted. Before and after: the share that was asked for lies outside of the interval of each link. During: on each link it lies within, and the interval excludes
 * what was lost before; and what each pod sends, all its links together, loses that share, known well enough (`widest`). Right before the heal: the same share still, and no run of arrivals that would have been its end. All other
 * links lose nothing. Anything not measured is not confirmed. Pure.
 */
export function judgeLosses(evidence: LossEvidence): FaultEffect {
  const { fault, moment, expected, sample, spanning, sinceMs, requestedMs } = evidence;
  const lossy = keysOf(expected.lossy);
  const mine = sample.filter((beacon) => lossy.has(keyOf(beacon)));
  const counted = new Set(mine.filter(({ sent }) => sent > 0).map(keyOf));
  const objections = [
    ...listed(
      'not measured',
      [...lossy].filter((key) => !counted.has(key)),
    ),
    ...((moment === 'during' || moment === 'after-heal') && sinceMs < requestedMs ? ['it was counted from before it was asked for'] : []),
    ...(lossy.size === 0 ? ['the fault asks for no link to lose'] : []),
    ...bystanders(evidence, lossy),
    ...(lasts(moment) ? lossObjections(evidence, mine) : noLossObjections(evidence, mine)),
  ];
  const confirmed = objections.length === 0;
  return {
    kind: 'fault-effect',
    fault,
    moment,
    confirmed,
    ...timingOf(evidence, mine),
    asked: lasts(moment)
      ? `${expected.lossy.length} directed links lose ${percent(expected.share)} of what is sent, all others nothing`
      : 'every link passes everything',
    measured: [summary(mine), ...objections].join('; '),
    evidence: { kind: 'losses', sample, spanning, sinceMs },
  };
}

const keyOf = (one: { readonly from: string; readonly to: string; readonly family: 4 | 6 }): string =>
  linkKey(one.from, one.to, one.family);
const lasts = (moment: FaultEffect['moment']): boolean => moment === 'during' || moment === 'before-heal';
const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;

interface Count {
  readonly lost: number;
  readonly sent: number;
}
const together = (beacons: readonly (Beacon | ReachabilityCell)[]): Count => ({
  lost: beacons.reduce((sum, { sent, received }) => sum + sent - received, 0),
  sent: beacons.reduce((sum, { sent }) => sum + sent, 0),
});
const intervalOf = ({ lost, sent }: Count, z: number): readonly [number, number] => shareInterval(lost, sent, z);
const told = (what: string, { lost, sent }: Count): string => `${what} (${lost} of ${sent} lost)`;

function summary(mine: readonly Beacon[]): string {
  const all = together(mine);
  const [least, most] = intervalOf(all, PROVED);
  const share = all.sent === 0 ? 'nothing was counted' : `${percent(all.lost / all.sent)} (between ${percent(least)} and ${percent(most)})`;
  return `of ${all.sent} datagrams on ${mine.length} links ${all.lost} were lost: ${share}`;
}

/** Every link of which the sweep is to tell: it counts too few for those that are to lose. */
function bystanders(evidence: LossEvidence, lossy: ReadonlySet<string>): readonly string[] {
  const { moment, cells, elsewhere, expected, sample } = evidence;
  if (moment === 'before-heal') return [];
  const others = keysOf(elsewhere);
  const isOutside = (one: Beacon | ReachabilityCell): boolean => !lossy.has(keyOf(one)) && !others.has(keyOf(one));
  const mustPass = cells.filter(isOutside);
  const wellCounted = moment === 'during' ? countedOutside(mustPass, sample.filter(isOutside), expected.share) : [];
  return [...unmeasured(cells, expected), ...losing(mustPass, moment, lossy), ...wellCounted];
}

/** Three datagrams of a sweep say little of a link that may lose a tenth: who is hit by mistake is a pod, and is known by all that it sends, or gets, outside of the fault. */
function countedOutside(cells: readonly ReachabilityCell[], sample: readonly Beacon[], share: number): readonly string[] {
  const pools = (['from', 'to'] as const).flatMap((end) =>
    [...Map.groupBy([...cells, ...sample], (one) => one[end])].map(([pod, of]) => ({ name: `${end} ${pod}`, count: together(of) })),
  );
  const links = sample.map((beacon) => ({ name: keyOf(beacon), count: together([beacon]) }));
  const hit = [...pools, ...links].filter(({ count }) => intervalOf(count, DISPROVED)[0] > NO_LOSS);
  const vague = pools.filter((one) => !hit.includes(one) && intervalOf(one.count, PROVED)[1] >= share);
  const texts = (of: typeof pools): readonly string[] => of.map(({ name, count }) => told(name, count));
  return [
    ...listed('outside the fault, but losing', texts(hit)),
    ...listed('too few datagrams outside the fault to exclude it there', texts(vague)),
  ];
}

/** Where there is to be a loss. */
function lossObjections({ moment, expected: { share }, before }: LossEvidence, mine: readonly Beacon[]): readonly string[] {
  const had = together(before);
  const [, usual] = intervalOf(had, PROVED);
  const perLink = mine.map((beacon) => ({ beacon, count: together([beacon]) }));
  const other = perLink.filter(({ count }) => !contains(intervalOf(count, DISPROVED), share));
  const objections = listed(
    `loses another share than ${percent(share)}`,
    other.map(({ beacon, count }) => told(keyOf(beacon), count)),
  );
  if (moment === 'before-heal') return [...objections, ...wrongDoses(mine, share), ...over(mine, share)];
  const unproved = perLink.filter(({ count }) => intervalOf(count, PROVED)[0] <= usual);
  return [
    ...objections,
    ...(had.sent === 0 ? ['what was lost before it is not known'] : []),
    ...listed(
      `loses no more than before (at most ${percent(usual)})`,
      unproved.map(({ beacon, count }) => told(keyOf(beacon), count)),
    ),
    ...doses(mine, share),
  ];
}

/** Who loses is a pod, with everything that it sends: the dose is known of all its links together. */
const sendersOf = (beacons: readonly Beacon[]): readonly (readonly [string, readonly Beacon[]])[] => [
  ...Map.groupBy(beacons, ({ from }) => from),
];

function wrongDoses(mine: readonly Beacon[], share: number): readonly string[] {
  const senders = sendersOf(mine).map(([pod, beacons]) => ({ pod, count: together(beacons) }));
  const wrong = senders.filter(({ count }) => !contains(intervalOf(count, DISPROVED), share));
  return listed(
    `of what it sends another share is lost than ${percent(share)}`,
    wrong.map(({ pod, count }) => told(pod, count)),
  );
}

function doses(mine: readonly Beacon[], share: number): readonly string[] {
  const senders = sendersOf(mine).map(([pod, beacons]) => ({ pod, count: together(beacons) }));
  const half = (count: Count): number => {
    const [least, most] = intervalOf(count, DISPROVED);
    return (most - least) / 2;
  };
  const vague = senders.filter(({ count }) => half(count) > widest(share));
  return [
    ...wrongDoses(mine, share),
    ...listed(
      'too few datagrams to know the share',
      vague.map(({ pod, count }) => told(pod, count)),
    ),
  ];
}

/** Of each link, and of all that a pod sends: where datagrams are rare on each link, its end shows on all together long before. */
function over(mine: readonly Beacon[], share: number): readonly string[] {
  const of = [...mine.map((beacon) => [keyOf(beacon), [beacon]] as const), ...sendersOf(mine)];
  return listed(
    'nothing was lost any more when the fault should have lasted',
    of.flatMap(([name, beacons]) => {
      const since = beacons.reduce((sum, beacon) => sum + (beacon.arrivedSinceLost ?? beacon.received), 0);
      return likelihoodOfEnd(since, beacons.length, share) < UNLIKELY ? [`${name} (the last ${since} came in)`] : [];
    }),
  );
}

/** How likely so many links end on so many arrivals in all, or more, while each datagram has this chance to be lost: that of as many, with fewer losses among them than links. */
function likelihoodOfEnd(arrivals: number, links: number, share: number): number {
  if (arrivals === 0) return 1;
  const of = arrivals + links - 1;
  let [chance, logWays] = [0, 0];
  for (let lost = 0; lost < links; lost++) {
    if (lost > 0) logWays += Math.log((of - lost + 1) / lost);
    chance += Math.exp(logWays + lost * Math.log(share) + (of - lost) * Math.log(1 - share));
  }
  return chance;
}

const contains = ([least, most]: readonly [number, number], share: number): boolean => least <= share && share <= most;

/** Where there is to be none. */
function noLossObjections({ moment, expected: { share } }: LossEvidence, mine: readonly Beacon[]): readonly string[] {
  const perLink = mine.map((beacon) => ({ beacon, count: together([beacon]) }));
  const losingAtAll = perLink.filter(({ count }) => intervalOf(count, DISPROVED)[0] > NO_LOSS);
  const vague = perLink.filter((one) => !losingAtAll.includes(one) && intervalOf(one.count, PROVED)[1] >= share);
  const name = ({ beacon, count }: (typeof perLink)[number]): string => told(keyOf(beacon), count);
  return [
    ...listed(moment === 'before' ? 'losing before the fault' : 'not healed', losingAtAll.map(name)),
    ...listed('too few datagrams to exclude the loss', vague.map(name)),
  ];
}

/** It began between the request and the first loss on the link that was last. When it ended nobody can tell: what is not lost shows it only by its number. */
function timingOf(evidence: LossEvidence, mine: readonly Beacon[]): { betweenMs?: readonly [number, number]; skewMs?: number } {
  const { moment, requestedMs, spanning } = evidence;
  if (moment !== 'during') return {};
  const firsts = mine.map((beacon) => {
    const seen = [beacon, ...spanning.filter((one) => keyOf(one) === keyOf(beacon))].flatMap(({ firstLostSentMs }) =>
      firstLostSentMs === null || firstLostSentMs < requestedMs ? [] : [firstLostSentMs],
    );
    return seen.length === 0 ? undefined : Math.min(...seen);
  });
  const known = firsts.filter((ms) => ms !== undefined);
  if (known.length === 0 || known.length < firsts.length) return {};
  return { betweenMs: [requestedMs, Math.max(...known)], skewMs: Math.max(...known) - Math.min(...known) };
}
