import { expect } from 'chai';
import type { Beacon, Link, ReachabilityCell } from '../history/event.ts';
import { judgeLinks, type LinkEvidence } from './effect.ts';
import { linkKey, linksToWatch } from './links.ts';

const PODS = ['a1', 'a2', 'b1', 'c1'];
const BOTH = [4, 6] as const;
const link = (from: string, to: string, families: Link['families'] = BOTH): Link => ({ from, to, families });
const CUT = [link('a1', 'b1'), link('b1', 'a1'), link('a2', 'b1'), link('b1', 'a2')];

/** A sweep in which these links lose everything. */
function sweep(lost: readonly Link[], over: Readonly<Record<string, number>> = {}): readonly ReachabilityCell[] {
  const gone = new Set(lost.flatMap((one) => one.families.map((family) => linkKey(one.from, one.to, family))));
  return PODS.flatMap((from) =>
    PODS.filter((to) => to !== from).flatMap((to) =>
      BOTH.map((family) => {
        const key = linkKey(from, to, family);
        return { from, to, family, sent: 3, received: over[key] ?? (gone.has(key) ? 0 : 3) };
      }),
    ),
  );
}

const beacon = (from: string, to: string, over: Partial<Beacon> = {}): Beacon => ({
  from,
  to,
  family: 4,
  sent: 10,
  received: 5,
  lastArrivedSentMs: 100,
  firstLostSentMs: 110,
  lastLostSentMs: 150,
  firstArrivedAgainSentMs: null,
  ...over,
});

const judge = (over: Partial<LinkEvidence>) =>
  judgeLinks({
    fault: 'f',
    moment: 'during',
    expected: { kind: 'links-cut', pods: PODS, cut: CUT, unobservable: [] },
    cells: sweep(CUT),
    beacons: [beacon('a1', 'b1'), beacon('b1', 'a1')],
    elsewhere: [],
    ...over,
  });

describe('effect of a cut', () => {
  it('is confirmed when exactly the cut links lose everything, with the interval and the spread', () => {
    const effect = judge({ beacons: [beacon('a1', 'b1'), beacon('b1', 'a1', { lastArrivedSentMs: 104, firstLostSentMs: 114 })] });
    expect(effect).to.deep.include({ confirmed: true, betweenMs: [100, 110], skewMs: 14 });
    expect(effect.asked).to.equal('4 directed links (IPv4 and IPv6) lose everything, all others nothing');
    expect(effect.measured).to.match(
      /^of 8 links in the cut 8 lose everything and 0 nothing, of 16 outside it 0 everything and 16 nothing; changed between/,
    );
  });

  const refused: readonly (readonly [string, Partial<LinkEvidence>, RegExp])[] = [
    ['a cut that cuts nothing', { cells: sweep([]) }, /still passing: a1>b1\/4 \(3 of 3 came in\)/],
    ['IPv6 that still passes', { cells: sweep(CUT.map((one) => link(one.from, one.to, [4]))) }, /IPv6 still passes: /],
    ['one direction that still passes', { cells: sweep(CUT.slice(0, 3)) }, /still passing: b1>a2\/4/],
    ['one datagram of a cut link that came in', { cells: sweep(CUT, { 'a1>b1/6': 1 }) }, /IPv6 still passes: a1>b1\/6 \(1 of 3/],
    [
      'a link outside the cut that loses everything',
      { cells: sweep([...CUT, link('a1', 'c1')]) },
      /outside the cut, but losing: a1>c1\/4 \(0 of 3/,
    ],
    [
      'a link outside the cut that loses one datagram',
      { cells: sweep(CUT, { 'c1>a1/4': 2 }) },
      /outside the cut, but losing: c1>a1\/4 \(2 of 3/,
    ],
    [
      'a cut link that was not measured',
      { cells: sweep(CUT).filter((cell) => cell.to !== 'b1') },
      /not measured: a1>b1\/4, a1>b1\/6, a2>b1\/4/,
    ],
    [
      'links outside the cut that were not measured',
      { cells: sweep(CUT).filter((cell) => cell.from !== 'a1' || cell.to !== 'c1' || cell.family === 4) },
      /not measured: a1>c1\/6$/,
    ],
    ['no measurement at all', { cells: [] }, /nothing was measured/],
    [
      'a fault that asks for nothing',
      { expected: { kind: 'links-cut', pods: PODS, cut: [], unobservable: [] }, cells: sweep([]), beacons: [] },
      /asks for no link/,
    ],
    [
      'what no probe can see',
      { expected: { kind: 'links-cut', pods: PODS, cut: CUT, unobservable: ['192.0.2.7/32: no pod'] } },
      /192\.0\.2\.7\/32: no pod/,
    ],
    [
      'a beacon that never lost',
      { beacons: [beacon('a1', 'b1', { firstLostSentMs: null, lastLostSentMs: null })] },
      /its beacon never lost: a1>b1\/4/,
    ],
    [
      'a beacon that came back meanwhile',
      { beacons: [beacon('a1', 'b1', { firstArrivedAgainSentMs: 160 })] },
      /came back while the fault lasted: a1>b1/,
    ],
    [
      'a beacon that came back for a moment',
      { beacons: [beacon('a1', 'b1', { firstBackSentMs: 130 })] },
      /came back while the fault lasted: a1>b1/,
    ],
    ['a beacon outside the cut that lost', { beacons: [beacon('a1', 'b1'), beacon('c1', 'a1')] }, /its beacon lost: c1>a1/],
  ];
  for (const [what, over, says] of refused)
    it(`is not confirmed by ${what}`, () => {
      const effect = judge(over);
      expect(effect.confirmed).to.equal(false);
      expect(effect.measured).to.match(says);
    });

  it('leaves links to another fault that cuts them, but not its own', () => {
    expect(judge({ cells: sweep([...CUT, link('a1', 'c1')]), elsewhere: [link('a1', 'c1')] }).confirmed).to.equal(true);
    expect(judge({ cells: sweep([]), elsewhere: CUT }).confirmed).to.equal(false);
  });

  it('before: everything passes, or it is not confirmed', () => {
    expect(judge({ moment: 'before', cells: sweep([]), beacons: [] })).to.deep.include({
      confirmed: true,
      asked: 'every link passes everything',
    });
    expect(judge({ moment: 'before', cells: sweep([link('a1', 'b1')]), beacons: [] }).measured).to.match(
      /losing before the fault: a1>b1\/4/,
    );
  });

  it('after the heal: everything passes again; the effect ended when the last link came back', () => {
    const again = (lastLostSentMs: number): Partial<Beacon> => ({
      lastArrivedSentMs: null,
      lastLostSentMs,
      firstArrivedAgainSentMs: lastLostSentMs + 10,
    });
    const healed = {
      moment: 'after-heal',
      cells: sweep([]),
      beacons: [beacon('a1', 'b1', again(500)), beacon('b1', 'a1', again(505))],
    } as const;
    expect(judge(healed)).to.deep.include({ confirmed: true, betweenMs: [505, 515], skewMs: 15 });
    expect(judge({ ...healed, cells: sweep([CUT[0] ?? link('', '')]) }).measured).to.match(/not healed: a1>b1\/4 \(0 of 3/);
    expect(judge({ ...healed, cells: sweep([link('c1', 'a1')]) }).measured).to.match(/losing after the heal: c1>a1\/4/);
    const never = { lastArrivedSentMs: 510, firstLostSentMs: null, lastLostSentMs: null };
    expect(judge({ ...healed, beacons: [beacon('a1', 'b1', never)] }).measured).to.match(/passed when the fault should have lasted: a1>b1/);
    const late = { ...again(500), lastArrivedSentMs: 100 };
    expect(judge({ ...healed, beacons: [beacon('a1', 'b1', late)] }).measured).to.match(/passed when the fault should have lasted: a1>b1/);
    expect(judge({ ...healed, beacons: [beacon('a1', 'b1', { lastArrivedSentMs: null })] }).measured).to.match(
      /its beacon never came back: a1>b1/,
    );
  });
});

describe('links to watch', () => {
  const all = PODS.flatMap((from) => PODS.filter((to) => to !== from).map((to) => link(from, to)));
  it('are at most so many, all of them cut, different, and both ways where both are cut', () => {
    for (const cut of [all, CUT, CUT.slice(0, 1), []]) {
      for (const most of [2, 3, 8]) {
        const watched = linksToWatch(cut, most).map((one) => `${one.from}>${one.to}`);
        expect(watched.length).to.be.at.most(most);
        expect(watched.length > 0).to.equal(cut.length > 0);
        expect(new Set(watched).size).to.equal(watched.length);
        expect(cut.map((one) => `${one.from}>${one.to}`)).to.include.members(watched);
      }
    }
    expect(linksToWatch(CUT, Infinity)).to.have.length(CUT.length);
    expect(linksToWatch(CUT)).to.have.length(4);
  });
});
