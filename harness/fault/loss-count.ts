import type { ExpectedEffect, Link } from '../history/event.ts';
import { keysOf } from './links.ts';
import { enoughToExclude, enoughToProve, enoughToSeeNone } from './loss-effect.ts';

/** Every link that is to lose is watched; so much of the machine that is being measured they may take together while counts are made, and a quarter of it until the heal; while it is proved, all other links as much again. */
const DATAGRAMS_PER_S = 1000;
const LEAST_PERIOD_MS = 5;
/** Until the first datagrams of a count have been sent: a second or two in somebody's pods. */
const BEGIN_MS = 3000;
/** What would take longer to count is refused: who waits for it is in the middle of a fault. */
const MOST_MS = 40_000;

export type Pair = Pick<Link, 'from' | 'to'>;

/** How many datagrams, on which links, tell the share that is lost. */
export interface LossCount {
  /** Those that are to lose. */
  readonly inside: readonly Pair[];
  /** All others between the pods. */
  readonly outside: readonly Pair[];
  /** On each link inside: that the share is the one asked for, and that there is none. */
  readonly toProve: number;
  readonly toExclude: number;
  /** How often one is due on each of so many links. */
  readonly periodMs: (links: readonly Pair[]) => number;
  /** How long to count outside, where one is due so often. */
  readonly outsideMs: (periodMs: number) => number;
}

export function lossCount(
  { lossy, share, families }: Extract<ExpectedEffect, { kind: 'links-lossy' }>,
  pods: readonly string[],
): LossCount {
  const inside = lossy.map(({ from, to }) => ({ from, to }));
  const outside = linksOutside(pods, inside);
  const eachWay = families?.length ?? 2;
  const ofSenders = [...Map.groupBy(lossy, ({ from }) => from).values()];
  const fewestOfSender = Math.min(...ofSenders.map((of) => of.reduce((sum, one) => sum + one.families.length, 0)));
  const toSeeNone = outside.length === 0 ? 0 : Math.ceil(enoughToSeeNone(share) / (fewestOfPod(outside) * eachWay));
  return {
    inside,
    outside,
    toProve: enoughToProve(share, fewestOfSender),
    toExclude: enoughToExclude(share, keysOf(lossy).size),
    periodMs: (links) => Math.max(LEAST_PERIOD_MS, ((links.length * eachWay) / DATAGRAMS_PER_S) * 1000),
    outsideMs: (periodMs) => (outside.length === 0 ? 0 : Math.min(MOST_MS, insideMs(toSeeNone, periodMs))),
  };
}

/** How long to count so many on each link. */
export const insideMs = (datagrams: number, periodMs: number): number => (datagrams + 2) * periodMs;

/** Why a loss cannot be counted where a datagram is due so often; `lastsMs`: it must be counted before that is over, null: before it is healed. Null: it can. */
export function whyNotCounted(count: LossCount, periodMs: number, lastsMs: number | null): string | null {
  const { outside, toProve } = count;
  const most = Math.max(toProve, count.toExclude);
  if (most * periodMs > MOST_MS) return tooSlow(most, periodMs);
  const neededMs = BEGIN_MS + Math.max(insideMs(toProve, periodMs), count.outsideMs(Math.max(periodMs, count.periodMs(outside))));
  return lastsMs === null || neededMs <= lastsMs ? null : tooShort(lastsMs, neededMs);
}

function linksOutside(pods: readonly string[], inside: readonly Pair[]): readonly Pair[] {
  const known = new Set(inside.map(({ from, to }) => `${from}>${to}`));
  return pods.flatMap((from) => pods.flatMap((to) => (from === to || known.has(`${from}>${to}`) ? [] : [{ from, to }])));
}

/** Of the pod that sends, or gets, on the fewest of these links. */
const fewestOfPod = (of: readonly Pair[]): number =>
  Math.min(...(['from', 'to'] as const).flatMap((end) => [...Map.groupBy(of, (one) => one[end]).values()].map(({ length }) => length)));

function tooSlow(datagrams: number, periodMs: number): string {
  const needed = `${datagrams} datagrams on each link are needed to know its share`;
  return `${needed}, and with one each ${Math.round(periodMs)} ms that takes longer than ${MOST_MS / 1000} s; lose more, or on fewer links`;
}

function tooShort(lastsMs: number, neededMs: number): string {
  const needed = `${Math.ceil(neededMs / 1000)} s are needed to count what is lost, and by its duration it has ${Math.round(lastsMs) / 1000} s for that`;
  return `${needed}: it would end late. Let it last longer, lose more, or on fewer links`;
}
