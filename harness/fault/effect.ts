import type { Beacon, ChangeMoment, ExpectedEffect, FaultEffect, Link, ReachabilityCell } from '../history/event.ts';
import { keysOf, linkKey } from './links.ts';

type LinksCut = Extract<ExpectedEffect, { kind: 'links-cut' }>;
type Moment = ChangeMoment;

export interface LinkEvidence {
  readonly fault: string;
  readonly moment: Moment;
  readonly expected: LinksCut;
  /** One sweep over all pods. */
  readonly cells: readonly ReachabilityCell[];
  /** Steady probes on some of the cut links, from before the change until after it. Not needed for `before`. */
  readonly beacons: readonly Beacon[];
  /** Links that other faults of the run have cut or are about to: what they do here says nothing about this fault. */
  readonly elsewhere: readonly Link[];
}

/**
 * Whether the links are as this moment asks: before and after the fault everything passes; during it the cut links lose everything in
 * every family and direction, and all others lose nothing. Anything not measured is not confirmed. Pure.
 */
export function judgeLinks(evidence: LinkEvidence): FaultEffect {
  const { fault, moment, expected } = evidence;
  const cut = keysOf(expected.cut);
  const elsewhere = keysOf(evidence.elsewhere);
  const isCut = (cell: ReachabilityCell): boolean => cut.has(keyOf(cell));
  const minds = (cell: ReachabilityCell): boolean => !elsewhere.has(keyOf(cell)) || (moment === 'during' && isCut(cell));
  const mustPass = evidence.cells.filter((cell) => minds(cell) && !(moment === 'during' && isCut(cell)));
  const objections = [
    ...unmeasured(evidence.cells, expected),
    ...(moment === 'during' ? stillPassing(evidence.cells.filter(isCut)) : []),
    ...losing(mustPass, moment, cut),
    ...(moment === 'during' ? expected.unobservable : []),
    ...(moment === 'before' ? [] : beaconObjections(evidence, cut)),
  ];
  if (cut.size === 0 && expected.unobservable.length === 0) objections.push('the fault asks for no link to be cut');
  const timing =
    moment === 'before'
      ? {}
      : changeOf(
          evidence.beacons.filter((beacon) => cut.has(keyOf(beacon))),
          moment,
        );
  return {
    kind: 'fault-effect',
    fault,
    moment,
    confirmed: objections.length === 0,
    ...timing,
    asked: askedOf(moment, expected),
    measured: [`${summary(evidence.cells, cut)}${timingText(timing)}`, ...objections].join('; '),
    evidence: { kind: 'links', beacons: evidence.beacons },
  };
}

const keyOf = (one: { readonly from: string; readonly to: string; readonly family: 4 | 6 }): string =>
  linkKey(one.from, one.to, one.family);

function askedOf(moment: Moment, expected: LinksCut): string {
  if (moment !== 'during') return 'every link passes everything';
  const pairs = expected.cut.length;
  const families = expected.cut.every((link) => link.families.length === 2)
    ? 'IPv4 and IPv6'
    : `${keysOf(expected.cut).size} address-family links`;
  return `${pairs} directed links (${families}) lose everything, all others nothing`;
}

function summary(cells: readonly ReachabilityCell[], cut: ReadonlySet<string>): string {
  const inCut = cells.filter((cell) => cut.has(keyOf(cell)));
  const others = cells.filter((cell) => !cut.has(keyOf(cell)));
  const lost = (of: readonly ReachabilityCell[]): number => of.filter((cell) => cell.received === 0).length;
  const whole = (of: readonly ReachabilityCell[]): number => of.filter((cell) => cell.received === cell.sent).length;
  return `of ${inCut.length} links in the cut ${lost(inCut)} lose everything and ${whole(inCut)} nothing, of ${others.length} outside it ${lost(others)} everything and ${whole(others)} nothing`;
}

/** Every link between two pods of the lab has to be seen, in the cut or not: what nobody looked at may have been cut too. */
export function unmeasured(
  cells: readonly ReachabilityCell[],
  { pods, families = [4, 6] }: { readonly pods: readonly string[]; readonly families?: readonly (4 | 6)[] },
): readonly string[] {
  if (cells.length === 0) return ['nothing was measured'];
  const measured = new Set(cells.filter((cell) => cell.sent > 0).map(keyOf));
  const links = pods.flatMap((from) => pods.flatMap((to) => (from === to ? [] : families.map((family) => linkKey(from, to, family)))));
  return listed(
    'not measured',
    links.filter((key) => !measured.has(key)),
  );
}

function stillPassing(cells: readonly ReachabilityCell[]): readonly string[] {
  const passing = cells.filter((cell) => cell.received > 0);
  const onlyV6 = passing.length > 0 && passing.every((cell) => cell.family === 6);
  return listed(onlyV6 ? 'IPv6 still passes' : 'still passing', passing.map(countOf));
}

export function losing(cells: readonly ReachabilityCell[], moment: Moment, cut: ReadonlySet<string>): readonly string[] {
  const lossy = cells.filter((cell) => cell.received < cell.sent || cell.sent === 0);
  if (moment === 'during') return listed('outside the cut, but losing', lossy.map(countOf));
  if (moment === 'before') return listed('losing before the fault', lossy.map(countOf));
  return [
    ...listed('not healed', lossy.filter((cell) => cut.has(keyOf(cell))).map(countOf)),
    ...listed('losing after the heal', lossy.filter((cell) => !cut.has(keyOf(cell))).map(countOf)),
  ];
}

const countOf = (cell: ReachabilityCell): string => `${keyOf(cell)} (${cell.received} of ${cell.sent} came in)`;

/** The first few by name, the rest as a number. */
export function listed(what: string, items: readonly string[]): readonly string[] {
  const SHOWN = 4;
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : '';
  return [`${what}: ${items.slice(0, SHOWN).join(', ')}${more}`];
}

/** A watched link must change once and stay so; a watched link outside the cut must never lose anything. */
function beaconObjections({ beacons, moment, elsewhere }: LinkEvidence, cut: ReadonlySet<string>): readonly string[] {
  const others = keysOf(elsewhere);
  const mine = beacons.filter((beacon) => cut.has(keyOf(beacon)) && !others.has(keyOf(beacon)));
  const bystanders = beacons.filter((beacon) => !cut.has(keyOf(beacon)) && !others.has(keyOf(beacon)));
  const named = (of: readonly Beacon[]): readonly string[] => of.map(keyOf);
  const lossy = listed('outside the cut, but its beacon lost', named(bystanders.filter((beacon) => beacon.firstLostSentMs !== null)));
  if (moment === 'during') {
    return [
      ...lossy,
      ...listed('its beacon never lost', named(mine.filter((beacon) => beacon.firstLostSentMs === null))),
      ...listed('its beacon came back while the fault lasted', named(mine.filter((beacon) => backMs(beacon) !== null))),
    ];
  }
  const silent = mine.filter((beacon) => beacon.firstArrivedAgainSentMs === null && beacon.firstLostSentMs !== null);
  // Watched since the cut was seen: what arrived before anything was lost passed a link that should have been cut.
  const passing = mine.filter((beacon) => beacon.firstLostSentMs === null || beacon.lastArrivedSentMs !== null);
  return [
    ...lossy,
    ...listed('its beacon passed when the fault should have lasted', named(passing)),
    ...listed('its beacon never came back', named(silent)),
  ];
}

/** When a link was first back after it had been lost, for good or not. */
export function backMs({ firstBackSentMs, firstArrivedAgainSentMs }: Beacon): number | null {
  return firstBackSentMs ?? firstArrivedAgainSentMs;
}

interface Change {
  readonly betweenMs?: readonly [number, number];
  readonly skewMs?: number;
}

/**
 * When the effect began (the first link to change) or ended (the last one), and how far apart the links can have changed at most: a probe
 * period is the resolution, so that one period is the least that can be shown.
 */
function changeOf(beacons: readonly Beacon[], moment: Moment): Change {
  const intervals = beacons.flatMap((beacon): (readonly [number, number])[] => {
    const [from, to] =
      moment === 'during' ? [beacon.lastArrivedSentMs, beacon.firstLostSentMs] : [beacon.lastLostSentMs, beacon.firstArrivedAgainSentMs];
    return from !== null && to !== null ? [[from, to]] : [];
  });
  if (intervals.length === 0) return {};
  const starts = intervals.map(([from]) => from);
  const ends = intervals.map(([, to]) => to);
  const pick = moment === 'during' ? Math.min : Math.max;
  return { betweenMs: [pick(...starts), pick(...ends)], skewMs: Math.max(...ends) - Math.min(...starts) };
}

function timingText({ betweenMs, skewMs }: Change): string {
  if (!betweenMs || skewMs === undefined) return '';
  return `; changed between ${betweenMs[0].toFixed(1)} and ${betweenMs[1].toFixed(1)} ms, all watched links within ${skewMs.toFixed(1)} ms`;
}
