import { expect } from 'chai';
import fc from 'fast-check';
import { ProbeLog } from './probe-log.ts';
import { PROBE_VERSION, type Arrived, type Tick } from './probe-order.ts';

const hello = (over: object = {}): object => ({ line: 0, version: PROBE_VERSION, session: 7, me: 1, atMs: 50, ...over });
const report = (line: number, atMs: number, ticks: readonly Tick[] = [], arrived: readonly Arrived[] = []): object => ({
  line,
  atMs,
  ticks,
  arrived,
});
const log = (askedMs = 1000): ProbeLog => new ProbeLog({ session: 7, number: 1, pod: 'web-0', askedMs });

describe('the log of a probe in a pod', () => {
  it('is read once, in order; a part that is read again changes nothing, and what is none of its lines is passed over', () => {
    const one = log();
    one.add({ level: 'warn', message: 'something of node' }, 1200);
    for (const line of [hello(), report(1, 300, [[0, 60, 61]], [[0, 4, 0, 3]]), hello(), report(1, 300, [[0, 60, 61]])])
      one.add(line, 1400);
    one.add(
      report(
        2,
        550,
        [[1, 110, 111]],
        [
          [0, 4, 4, 6],
          [2, 6, 1, 1],
        ],
      ),
      1700,
    );
    expect([one.rounds, one.ended, one.hasReported]).to.deep.equal([2, undefined, true]);
    expect([0, 3, 6, 7].map((seq) => one.hasArrived(0, 4, seq))).to.deep.equal([true, true, true, false]);
    expect(one.hasArrived(2, 6, 1) && !one.hasArrived(2, 4, 1)).to.equal(true);
  });

  const ends: readonly (readonly [string, readonly object[], RegExp])[] = [
    ['a part of it is missing', [hello(), report(2, 300)], /missing/],
    ['it has no beginning', [report(0, 300)], /no beginning/],
    ['what was sent is left out', [hello(), report(1, 300, [[1, 60, 61]])], /left out/],
    ['the image has another version', [hello({ version: PROBE_VERSION + 1 })], /another probe/],
    ['it is of another run', [hello({ session: 8 })], /another probe/],
    ['it ended', [hello(), { line: 1, ended: 'its time is over' }], /its time is over/],
  ];
  for (const [what, lines, why] of ends)
    it(`is not believed beyond the place where ${what}`, () => {
      const one = log();
      for (const line of lines) one.add(line, 1400);
      one.add(report(lines.length, 900, [[0, 800, 801]], [[0, 4, 0, 9]]), 1900);
      expect(one.ended).to.match(why);
      expect(one.hasArrived(0, 4, 5)).to.equal(false);
      expect(one.seenUntilMs).to.be.lessThan(1900);
    });

  it('knows nothing of its times before it has told anything', () => {
    expect([log().doubtMs, log().seenUntilMs]).to.deep.equal([Infinity, -Infinity]);
    expect(log().notAfterMs(10)).to.equal(Infinity);
  });

  it('each instant of its clock lies within its bounds, whatever that clock says, however late it starts and its log arrives', () => {
    const given = fc.record({
      offset: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      startsAfter: fc.integer({ min: 1, max: 3000 }),
      drift: fc.double({ min: -0.0004, max: 0.0004, noNaN: true }),
      late: fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 40, maxLength: 40 }),
    });
    fc.assert(
      fc.property(given, ({ offset, startsAfter, drift, late }) => {
        const one = log();
        const beginMs = 1000 + startsAfter;
        const itsMs = (realMs: number): number => Math.max(0, 2_000_000 + offset) + (realMs - beginMs) * (1 + drift);
        one.add(hello({ atMs: itsMs(beginMs) }), beginMs + (late[0] ?? 0));
        let receivedMs = beginMs;
        const looks = late.map((lateMs, index) => ({ realMs: beginMs + 250 * (index + 1), lateMs }));
        for (const [index, { realMs, lateMs }] of looks.entries()) {
          receivedMs = Math.max(receivedMs, realMs + lateMs);
          one.add(report(index + 1, itsMs(realMs)), receivedMs);
        }
        for (const { realMs } of looks.slice(0, -1)) {
          expect(one.notBeforeMs(itsMs(realMs))).to.be.at.most(realMs + 0.001);
          expect(one.notAfterMs(itsMs(realMs))).to.be.at.least(realMs - 0.001);
        }
        expect(one.seenUntilMs).to.be.at.most(looks.at(-1)?.realMs ?? 0);
      }),
    );
  });
});
