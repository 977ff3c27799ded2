import { expect } from 'chai';
import type { Beacon, FaultEffect, Link, ReachabilityCell } from '../history/event.ts';
import { afterProbe, EMPTY_HISTORY } from '../platform/local/reach/link-history.ts';
import { linkKey } from './links.ts';
import { enoughToExclude, enoughToProve, enoughToSeeNone, judgeLosses, type LossEvidence } from './loss-effect.ts';

const PODS = ['a', 'b', 'c', 'd'];
const FAMILIES = [4, 6] as const;
const link = (from: string, to: string): Link => ({ from, to, families: FAMILIES });
/** a loses to b and c, and they to a: two links a family from a, one from each of the others. */
const LOSSY = [link('a', 'b'), link('a', 'c'), link('b', 'a'), link('c', 'a')];
const LINKS = LOSSY.length * 2;
const OUTSIDE = PODS.flatMap((from) => PODS.filter((to) => to !== from).map((to) => link(from, to))).filter(
  ({ from, to }) => !LOSSY.some((one) => one.from === from && one.to === to),
);
const PERIOD_MS = 10;

type ShareOf = (from: string, to: string, seq: number) => number;

/** mulberry32: a million a moment, the same each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a watch counts where each datagram has this chance to be lost. */
function watch(seed: number, count: number, shareOf: ShareOf, fromMs = 1000, links: readonly Link[] = LOSSY): readonly Beacon[] {
  return links.flatMap(({ from, to }, number) =>
    FAMILIES.map((family): Beacon => {
      const random = chance(seed * 1_000_003 + number * 101 + family);
      let history = EMPTY_HISTORY;
      for (let seq = 0; seq < count; seq++) {
        const beforeMs = fromMs + seq * PERIOD_MS;
        history = afterProbe(history, { beforeMs, afterMs: beforeMs + 1, arrived: random() >= shareOf(from, to, seq) });
      }
      return { from, to, family, ...history };
    }),
  );
}

const sweep = (lost: readonly string[] = []): readonly ReachabilityCell[] =>
  PODS.flatMap((from) =>
    PODS.filter((to) => to !== from).flatMap((to) =>
      FAMILIES.map((family) => ({ from, to, family, sent: 3, received: lost.includes(linkKey(from, to, family)) ? 2 : 3 })),
    ),
  );

const NONE: ShareOf = () => 0;
/** What is counted meanwhile of all other links. */
const beside = (seed: number, share: number, lost: ShareOf): readonly Beacon[] => watch(seed, enoughToSeeNone(share), lost, 1000, OUTSIDE);

interface World extends Partial<LossEvidence> {
  readonly share?: number;
  readonly seed?: number;
  readonly lost?: ShareOf;
  readonly count?: number;
  /** Of the links that are to lose nothing. */
  readonly outside?: ShareOf;
}

function judged(
  moment: FaultEffect['moment'],
  { share = 0.3, seed = 1, lost = () => share, outside = NONE, count, ...over }: World = {},
): FaultEffect {
  const without = enoughToExclude(share, LINKS);
  const enough = count ?? (moment === 'during' || moment === 'before-heal' ? enoughToProve(share, 2) : without);
  return judgeLosses({
    fault: 'f',
    moment,
    expected: { kind: 'links-lossy', pods: PODS, lossy: LOSSY, share },
    cells: moment === 'before-heal' ? [] : sweep(),
    sample: [...watch(seed, enough, lost), ...(moment === 'during' ? beside(seed, share, outside) : [])],
    sinceMs: 990,
    spanning: [],
    before: watch(seed + 1000, without, NONE),
    elsewhere: [],
    requestedMs: 980,
    ...over,
  });
}

/** In how many of so many worlds it is confirmed. */
function confirmedOf(worlds: number, moment: FaultEffect['moment'], world: Omit<World, 'seed'>): number {
  return Array.from({ length: worlds }, (_, seed) => judged(moment, { ...world, seed }).confirmed).filter((is) => is).length;
}

describe('effect of a loss', () => {
  it('is confirmed by its counts, with when it began', () => {
    const effect = judged('during');
    expect(effect.confirmed, effect.measured).to.equal(true);
    expect(effect.asked).to.equal('4 directed links lose 30 % of what is sent, all others nothing');
    expect(effect.measured).to.match(
      /^of \d+ datagrams on 8 links \d+ were lost: \d\d(\.\d)? % \(between 2\d(\.\d)? % and 3\d(\.\d)? %\)$/,
    );
    expect(effect.betweenMs?.[0]).to.equal(980);
    expect(effect.betweenMs?.[1]).to.be.within(1001, 1300);
  });

  for (const share of [0.05, 0.1, 0.3, 0.6, 0.9, 1])
    it(`${share * 100} %: is confirmed where it is there, and never where nothing, half of it, or all is lost`, () => {
      const worlds = share < 0.2 ? 25 : 100; // a small share takes many datagrams
      expect(confirmedOf(worlds, 'during', { share })).to.be.at.least(worlds - 1);
      expect(confirmedOf(worlds, 'before-heal', { share })).to.be.at.least(worlds - 1);
      for (const moment of ['during', 'before-heal'] as const) {
        expect(confirmedOf(worlds, moment, { share, lost: NONE }), `${moment}: a Chaos Mesh that only claims`).to.equal(0);
        expect(confirmedOf(worlds, moment, { share, lost: (from) => (from === 'b' ? 0 : share) }), `${moment}: one pod left out`).to.equal(
          0,
        );
      }
      expect(confirmedOf(worlds, 'during', { share, lost: () => share / 2 })).to.be.at.most(1);
      if (share <= 0.6)
        expect(confirmedOf(worlds, 'during', { share, lost: () => Math.min(1, Math.max(3 * share, share + 0.4)) })).to.equal(0);
      for (const moment of ['before', 'after-heal'] as const) {
        expect(confirmedOf(worlds, moment, { share, lost: NONE })).to.equal(worlds);
        expect(confirmedOf(worlds, moment, { share, lost: () => 0.001 })).to.be.at.least(worlds - 1);
        expect(confirmedOf(worlds, moment, { share }), moment).to.equal(0);
      }
    }).timeout(60_000);

  for (const share of [0.05, 0.1, 0.3, 1])
    it(`${share * 100} %: is not confirmed where a pod is hit that is none of its own, though its sweep passed everything`, () => {
      const hit: readonly ShareOf[] = [(from) => (from === 'd' ? share : 0), (_, to) => (to === 'd' ? share : 0)];
      for (const outside of hit) expect(confirmedOf(25, 'during', { share, outside })).to.equal(0);
      expect(confirmedOf(25, 'during', { share, outside: () => 0.001 })).to.be.at.least(24);
    }).timeout(60_000);

  it('is known to be over of all that a pod sends, where each link sends rarely', () => {
    const many = Array.from({ length: 40 }, (_, n) => ({ from: 'a', to: `p${n}`, families: [4] as const }));
    const expected = { kind: 'links-lossy', pods: PODS, lossy: many, share: 0.05 } as const;
    const confirmed = (lost: ShareOf): number =>
      Array.from({ length: 25 }, (_, seed) => judged('before-heal', { expected, sample: watch(seed, 150, lost, 1000, many) })).filter(
        (one) => one.confirmed,
      ).length;
    expect(confirmed(() => 0.05)).to.be.at.least(24);
    expect(confirmed(NONE), 'over at once').to.equal(0);
    expect(
      confirmed((_, __, seq) => (seq < 110 ? 0.05 : 0)),
      'over a little before',
    ).to.equal(0);
  });

  const refused: readonly (readonly [string, FaultEffect['moment'], World, RegExp])[] = [
    ['that was only claimed', 'during', { lost: NONE }, /loses another share than 30 %: a>b\/4 \(0 of \d+ lost\)/],
    ['on one way only', 'during', { lost: (from) => (from === 'a' ? 0.3 : 0) }, /another share .*b>a\/4 \(0 of/],
    ['too few datagrams', 'during', { count: 20 }, /too few datagrams to know the share/],
    ['of all of so few datagrams', 'during', { share: 0.5, count: 4, lost: () => 1 }, /too few datagrams to know the share/],
    ['beside which nobody counted', 'during', { sample: watch(1, 200, () => 0.3) }, /too few datagrams outside the fault/],
    ['without what was lost before', 'during', { before: [] }, /what was lost before it is not known/],
    ['where as much was lost before', 'during', { before: watch(3, 60, () => 0.3) }, /loses no more than before/],
    ['counted from before it was asked for', 'during', { sinceMs: 970 }, /counted from before it was asked for/],
    [
      'of which nobody counted a link',
      'during',
      { sample: [...watch(1, 200, () => 0.3).slice(1), ...beside(1, 0.3, NONE)] },
      /not measured: a>b\/4/,
    ],
    ['beside another that loses too', 'during', { cells: sweep(['d>a/4']) }, /outside the cut, but losing: d>a\/4/],
    ['where a link was not swept', 'during', { cells: sweep().slice(1) }, /not measured: a>b\/4/],
    [
      'that was over',
      'before-heal',
      { lost: (_, __, seq) => (seq < 60 ? 0.3 : 0) },
      /nothing was lost any more when the fault should have lasted/,
    ],
    ['that nobody counted until its heal', 'before-heal', { sample: [] }, /not measured/],
    ['that was there before', 'before', { lost: () => 0.3 }, /losing before the fault: a>b\/4/],
    ['that stayed', 'after-heal', { lost: () => 0.3 }, /not healed: a>b\/4/],
    ['of which too few tell that it is gone', 'after-heal', { count: 10, lost: NONE }, /too few datagrams to exclude the loss/],
  ];
  for (const [what, moment, world, why] of refused)
    it(`is not confirmed: a loss ${what}`, () => {
      const effect = judged(moment, world);
      expect(effect.confirmed).to.equal(false);
      expect(effect.measured).to.match(why);
    });

  it('what other faults do to other links says nothing about this one', () => {
    const effect = judged('during', { cells: sweep(['d>a/4', 'd>a/6']), elsewhere: [link('d', 'a')] });
    expect(effect.confirmed, effect.measured).to.equal(true);
  });

  it('began after it was asked for: a loss of before on the same link is none of it', () => {
    const spanning = watch(9, 3, (from, to) => (from === 'a' && to === 'b' ? 1 : 0), 900);
    const [fromMs, toMs] = judged('during', { spanning }).betweenMs ?? [];
    expect(fromMs).to.equal(980);
    expect(toMs).to.be.at.least(1000);
  });
});
