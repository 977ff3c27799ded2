import { expect } from 'chai';
import fc from 'fast-check';
import { judgeLinks } from '../../../fault/effect.ts';
import type { Beacon, ExpectedEffect, Link, ReachabilityCell } from '../../../history/event.ts';
import { ProbeLog } from './probe-log.ts';
import { PROBE_VERSION, type Arrived } from './probe-order.ts';
import { beaconOf, cellOf, firstAfter, isSettled, type ProbedLink } from './probed-links.ts';

const PODS = ['api-0', 'db-0', 'web-0'];
const PERIOD_MS = 50;
const REPORT_MS = 250;
/** Each machine's clock is another, and each container takes another time to start. */
const MACHINES = { offsets: [5_000_000, 12, 700_000_000], starts: [1400, 1900, 1200], lateMs: [30, 30, 30] } as const;
const ASKED_MS = 1000;
const LATE_MS = 30;

interface Machines {
  readonly offsets: readonly number[];
  readonly starts: readonly number[];
  /** How long after it was written a line of its log is read. */
  readonly lateMs: readonly number[];
}

interface World {
  /** Whether a datagram that is sent then passes. */
  readonly passes?: (from: string, to: string, atMs: number) => boolean;
  /** Until when a probe runs. */
  readonly until?: Readonly<Record<string, number>>;
  /** What of it has been received by now. */
  readonly nowMs: number;
  readonly machines?: Machines;
}

/** The logs of three probes, as they would have come in by `nowMs`, all times by the run's clock. */
function worldOf({ passes = () => true, until = {}, nowMs, machines = MACHINES }: World): readonly ProbeLog[] {
  const of = (numbers: readonly number[], number: number): number => numbers[number] ?? 0;
  const rounds = (number: number, fromMs: number, toMs: number): ReturnType<typeof roundsOf> =>
    roundsOf(of(machines.starts, number), [fromMs, toMs], until[PODS[number] ?? '']);
  return PODS.map((pod, number) => {
    const log = new ProbeLog({ session: 7, number, pod, askedMs: ASKED_MS });
    const [offset, start, lateMs] = [of(machines.offsets, number), of(machines.starts, number), of(machines.lateMs, number)];
    const its = (ms: number): number => ms - start + offset;
    log.add({ line: 0, version: PROBE_VERSION, session: 7, me: number, atMs: offset }, start + lateMs);
    const end = Math.min(nowMs - lateMs, until[pod] ?? Infinity);
    for (let line = 1; start + line * REPORT_MS <= end; line++) {
      const [from, to] = [start + (line - 1) * REPORT_MS, start + line * REPORT_MS];
      const ticks = rounds(number, from, to).map(({ seq, atMs }) => [seq, its(atMs), its(atMs + 0.2)]);
      const arrived = PODS.flatMap((sender, peer): Arrived[] =>
        peer === number
          ? []
          : rounds(peer, from - 1, to - 1)
              .filter(({ atMs }) => passes(sender, pod, atMs))
              .map(({ seq }) => [peer, 4, seq, seq]),
      );
      log.add({ line, atMs: its(to), ticks, arrived }, to + lateMs);
    }
    return log;
  });
}

function roundsOf(start: number, [fromMs, toMs]: readonly [number, number], untilMs = Infinity): readonly { seq: number; atMs: number }[] {
  const seqAt = (ms: number): number => Math.max(0, Math.ceil((ms - start) / PERIOD_MS));
  const first = seqAt(fromMs);
  const count = Math.max(0, seqAt(Math.min(toMs, untilMs)) - first);
  return Array.from({ length: count }, (_, index) => ({ seq: first + index, atMs: start + (first + index) * PERIOD_MS }));
}

const linksOf = (logs: readonly ProbeLog[]): readonly ProbedLink[] =>
  logs.flatMap((from) => logs.filter((to) => to !== from).map((to) => ({ from, to, family: 4 as const })));
const sweep = (world: World, sinceMs: number): readonly ReachabilityCell[] => linksOf(worldOf(world)).map((link) => cellOf(link, sinceMs));
const cut: readonly Link[] = [
  { from: 'api-0', to: 'db-0', families: [4] },
  { from: 'db-0', to: 'api-0', families: [4] },
];
const isCut = (from: string, to: string): boolean => cut.some((link) => link.from === from && link.to === to);
const expected: Extract<ExpectedEffect, { kind: 'links-cut' }> = { kind: 'links-cut', pods: PODS, families: [4], cut, unobservable: [] };

/** What was seen of the cut links between two instants, as the run sees it: it knows by then what was reported by then. */
function watch(world: World, fromMs: number): readonly Beacon[] {
  const first = worldOf({ ...world, nowMs: fromMs }).map((log) => log.rounds);
  return linksOf(worldOf(world))
    .filter(({ from, to }) => isCut(from.identity.pod, to.identity.pod))
    .map((link) => beaconOf(link, first[link.from.identity.number] ?? 0, link.from.rounds));
}

describe('links between pods, by what the probes in them wrote', () => {
  it('pass where all that was sent after the look began came in', () => {
    const cells = sweep({ nowMs: 12_000 }, 6000);
    expect(cells).to.have.length(6);
    expect(cells.every(({ sent, received }) => sent === 3 && received === 3)).to.equal(true);
  });

  it('what was sent before the look began counts for nothing: a cut that came between is seen, and so is its end', () => {
    const passes = (from: string, to: string, atMs: number): boolean => !isCut(from, to) || atMs < 6000 || atMs >= 20_000;
    const received = (sinceMs: number): readonly number[] => sweep({ passes, nowMs: sinceMs + 6000 }, sinceMs).map((cell) => cell.received);
    expect(received(6000)).to.deep.equal([0, 3, 0, 3, 3, 3]);
    expect(received(20_000)).to.deep.equal([3, 3, 3, 3, 3, 3]);
  });

  it('nothing is measured yet of what nobody can have told by now', () => {
    const cells = sweep({ nowMs: 6200 }, 6000);
    expect(cells.every(({ sent, received }) => sent === 0 && received === 0)).to.equal(true);
  });

  it('one who says nothing any more has lost nothing, and got nothing: its links are not measured', () => {
    const cells = sweep({ until: { 'db-0': 5000 }, nowMs: 20_000 }, 6000);
    const measured = cells.filter(({ sent }) => sent > 0).map(({ from, to }) => `${from}>${to}`);
    expect(measured).to.deep.equal(['api-0>web-0', 'web-0>api-0']);
    const effect = judgeLinks({ fault: 'cut', moment: 'during', expected, cells, beacons: [], elsewhere: [] });
    expect(effect.confirmed).to.equal(false);
    expect(effect.measured).to.match(/not measured: api-0>db-0\/4/);
  });

  const judged = (world: World, lookMs: number): ReturnType<typeof judgeLinks> =>
    judgeLinks({ fault: 'cut', moment: 'during', expected, cells: sweep(world, lookMs), beacons: watch(world, 5000), elsewhere: [] });

  it('a cut is confirmed, and it began within the bounds of what every clock can have said', () => {
    const effect = judged({ passes: (from, to, atMs) => !isCut(from, to) || atMs < 8000, nowMs: 16_000 }, 9000);
    expect(effect.confirmed, effect.measured).to.equal(true);
    const [fromMs, toMs] = effect.betweenMs ?? [0, 0];
    expect(fromMs).to.be.within(8000 - 1200, 8000);
    expect(toMs).to.be.within(8000, 8000 + PERIOD_MS + LATE_MS + REPORT_MS);
  });

  const refused: readonly (readonly [string, NonNullable<World['passes']>, RegExp])[] = [
    ['that was only claimed', () => true, /still passing: api-0>db-0\/4/],
    ['of one direction only', (from, _, atMs) => from !== 'api-0' || atMs < 8000, /still passing: db-0>api-0\/4/],
    ['of more than was asked for', (_, __, atMs) => atMs < 8000, /outside the cut, but losing: api-0>web-0\/4/],
    ['that was over again', (from, to, atMs) => !isCut(from, to) || atMs < 8000 || atMs > 12_000, /came back while the fault lasted/],
  ];
  for (const [what, passes, why] of refused)
    it(`a cut ${what} is not confirmed`, () => {
      const effect = judged({ passes, nowMs: 16_000 }, 9000);
      expect(effect.confirmed).to.equal(false);
      expect(effect.measured).to.match(why);
    });

  it('a watch ends where it is not known what became of a datagram, and says when all of it is', () => {
    const logs = worldOf({ until: { 'db-0': 9000 }, nowMs: 20_000 });
    const [link] = linksOf(logs);
    if (link === undefined) throw new Error('no link');
    expect(beaconOf(link, 100, 300).received).to.be.lessThan(60);
    expect([isSettled(link, 100, 120), isSettled(link, 100, 300)]).to.deep.equal([true, false]);
  });

  it('say nothing that is not so, whatever the clocks of the machines say, however late they start and their logs are read', () => {
    let measured = 0;
    const three = (min: number, max: number): fc.Arbitrary<readonly number[]> =>
      fc.array(fc.integer({ min, max }), { minLength: 3, maxLength: 3 });
    const machines = fc.record({ offsets: three(0, 1e9), starts: three(1001, 5000), lateMs: three(0, 3000) });
    const given = fc.record({ machines, cutMs: fc.integer({ min: 9000, max: 12_000 }), lookMs: fc.integer({ min: 9000, max: 15_000 }) });
    fc.assert(
      fc.property(given, ({ machines: of, cutMs, lookMs }) => {
        const passes = (from: string, to: string, atMs: number): boolean => !isCut(from, to) || atMs < cutMs;
        for (const { from, to, sent, received } of sweep({ passes, nowMs: 20_000, machines: of }, lookMs)) {
          if (sent === 0) continue;
          measured += 1;
          if (!isCut(from, to)) expect(received).to.equal(3);
          else if (lookMs >= cutMs) expect(received).to.equal(0);
        }
        for (const log of worldOf({ passes, nowMs: 20_000, machines: of })) {
          const first = firstAfter(log, lookMs);
          expect(
            (of.starts[log.identity.number] ?? 0) + first * PERIOD_MS,
            'what counts only after the look was sent after it',
          ).to.be.at.least(lookMs);
        }
        for (const beacon of watch({ passes, nowMs: 20_000, machines: of }, 8500)) {
          if (beacon.lastArrivedSentMs !== null) expect(beacon.lastArrivedSentMs).to.be.at.most(cutMs);
          if (beacon.firstLostSentMs !== null) expect(beacon.firstLostSentMs).to.be.at.least(cutMs);
          expect(beacon.firstBackSentMs).to.equal(null);
        }
      }),
      { numRuns: 40 },
    );
    expect(measured).to.be.above(20);
  }).timeout(60_000);
});
