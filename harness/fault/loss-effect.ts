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
  /** Of every link that is to lose: what was sent after `sinceMs`, and nothing else. */
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

/** How many a link are enough to tell that there is no such loss, of so many links together. Pure. */
export const enoughToExclude = (share: number, links: number): number =>
  Math.max(Math.ceil((16 * (1 - share)) / share) + 8, Math.ceil(80 / share / Math.max(1, links)));

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
const together = (beacons: readonly Beacon[]): Count => ({
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
function bystanders({ moment, cells, elsewhere, expected }: LossEvidence, lossy: ReadonlySet<string>): readonly string[] {
  if (moment === 'before-heal') return [];
  const others = keysOf(elsewhere);
  const mustPass = cells.filter((cell) => !lossy.has(keyOf(cell)) && !others.has(keyOf(cell)));
  return [...unmeasured(cells, expected), ...losing(mustPass, moment, lossy)];
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
  if (moment === 'before-heal') return [...objections, ...over(mine, share)];
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
function doses(mine: readonly Beacon[], share: number): readonly string[] {
  const senders = [...Map.groupBy(mine, ({ from }) => from)].map(([pod, beacons]) => ({ pod, count: together(beacons) }));
  const half = (count: Count): number => {
    const [least, most] = intervalOf(count, DISPROVED);
    return (most - least) / 2;
  };
  const wrong = senders.filter(({ count }) => !contains(intervalOf(count, DISPROVED), share));
  const vague = senders.filter(({ count }) => half(count) > widest(share) && count.lost < count.sent);
  return [
    ...listed(
      `of what it sends another share is lost than ${percent(share)}`,
      wrong.map(({ pod, count }) => told(pod, count)),
    ),
    ...listed(
      'too few datagrams to know the share',
      vague.map(({ pod, count }) => told(pod, count)),
    ),
  ];
}

const over = (mine: readonly Beacon[], share: number): readonly string[] =>
  listed(
    'nothing was lost any more when the fault should have lasted',
    mine.flatMap((beacon) => {
      const since = beacon.arrivedSinceLost ?? beacon.received;
      return since > 0 && (1 - share) ** since < UNLIKELY ? [`${keyOf(beacon)} (the last ${since} came in)`] : [];
    }),
  );

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

/** It began between the request and the first loss on the link that was last; it was over when that was sent of which nothing was lost. */
function timingOf(evidence: LossEvidence, mine: readonly Beacon[]): { betweenMs?: readonly [number, number]; skewMs?: number } {
  const { moment, requestedMs, sinceMs, spanning } = evidence;
  if (moment === 'after-heal') return { betweenMs: [requestedMs, Math.max(requestedMs, sinceMs)] };
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
