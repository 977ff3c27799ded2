import { expect } from 'chai';
import fc from 'fast-check';
import type { Workload } from '../scenario/scenario.ts';
import { AWAY_SINCE_LAST } from './client-away.ts';
import { outagesAfter, type Return } from './outages.ts';
import type { ServiceSample } from './service.ts';

const WORKLOAD: Workload = { periodMs: 20, timeoutMs: 500, goodWithinMs: 250, sustained: { operations: 10, forMs: 200 } };
const EFFECT = { lowerMs: 0, upperMs: 0 };

interface World {
  /** Operations that are sent from here on are answered. */
  readonly backMs: number;
  readonly tookMs: number;
  readonly refused: boolean;
  /** Whether it looks at its clock between its operations. */
  readonly looks: boolean;
  /** The client does not run in this time. */
  readonly asleep: readonly [number, number];
}

const LOOK_MS = 5;
const lookBefore = (ms: number): number => Math.floor((ms - 1) / LOOK_MS) * LOOK_MS;

/** What a client sees of such a service: it sends, reads and looks at its clock only while it is awake. */
function seen({ backMs, tookMs, refused, looks, asleep: [fromMs, toMs] }: World): readonly ServiceSample[] {
  const awake = (ms: number): number => (ms >= fromMs && ms < toMs ? toMs : ms);
  return Array.from({ length: 120 }, (_, index): ServiceSample => {
    const intendedMs = index * WORKLOAD.periodMs;
    const sentMs = awake(intendedMs);
    const late =
      sentMs > intendedMs ? { lateMs: sentMs - intendedMs, ...(looks ? { awakeMs: lookBefore(Math.min(fromMs, intendedMs)) } : {}) } : {};
    if (sentMs >= backMs) return { intendedMs, completedMs: awake(sentMs + tookMs), outcome: 'ok', ...late };
    const endMs = refused ? sentMs + 1 : sentMs + WORKLOAD.timeoutMs;
    return {
      intendedMs,
      completedMs: awake(endMs),
      outcome: 'failed',
      reason: refused ? 'connect-refused' : 'timeout-connecting',
      ...late,
    };
  });
}

function returnOf(world: World): Return<ServiceSample> {
  const back = outagesAfter(seen(world), EFFECT, WORKLOAD)[0]?.back;
  if (back === undefined || back === null) throw new Error('the outage has no end');
  return back;
}

const lowerOf = ({ before, tookMs, operation }: Return<ServiceSample>): number =>
  Math.min(before.intendedMs + tookMs, operation.completedMs);
/** Little shows a client that slept between two of its ticks: an answer may be late by that, or one operation too late. Off by a probe period, at most. */
function unnoticedMs({ asleep: [fromMs, toMs] }: World): number {
  const { periodMs } = WORKLOAD;
  const tickMs = Math.ceil(fromMs / periodMs) * periodMs;
  return toMs > fromMs && toMs - tickMs <= AWAY_SINCE_LAST * periodMs ? periodMs : 0;
}
const world = fc.record({
  backMs: fc.integer({ min: 100, max: 1000 }),
  tookMs: fc.integer({ min: 1, max: 240 }),
  refused: fc.boolean(),
  looks: fc.boolean(),
  asleep: fc
    .tuple(fc.integer({ min: 0, max: 1300 }), fc.integer({ min: 0, max: 600 }))
    .map(([at, forMs]): [number, number] => [at, at + forMs]),
});

describe('the end of an outage', () => {
  it('lies within a probe period, however long the first operation took', () => {
    fc.assert(
      fc.property(world, (one) => {
        const back = returnOf({ ...one, asleep: [0, 0] });
        const firstMs = one.backMs + one.tookMs;
        expect(back.operation.completedMs - lowerOf(back)).to.equal(WORKLOAD.periodMs);
        expect(firstMs).to.be.within(lowerOf(back), back.operation.completedMs);
        expect(one.backMs).to.be.within(back.before.intendedMs, back.operation.intendedMs);
      }),
    );
  });

  it('is never later than the interval says, nor earlier, whenever the client itself slept', () => {
    let widened = 0;
    fc.assert(
      fc.property(world, (one) => {
        fc.pre(seen(one).some(({ outcome }) => outcome === 'failed')); // one that slept through all of it has seen no outage
        const back = returnOf(one);
        // Somebody who is always awake, sends all the time and waits as long for an answer.
        const firstMs = one.backMs + one.tookMs;
        expect(lowerOf(back)).to.be.at.most(firstMs + unnoticedMs(one));
        expect(back.operation.completedMs).to.be.at.least(firstMs);
        expect(back.before.intendedMs).to.be.at.most(one.backMs + unnoticedMs(one));
        if (back.operation.completedMs - lowerOf(back) > WORKLOAD.periodMs) widened++;
      }),
      { numRuns: 2000 },
    );
    expect(widened).to.be.above(100);
  }).timeout(60_000);

  it('is off by what a client slept between two ticks, which nothing shows', () => {
    const back = returnOf({ backMs: 101, tookMs: 201, refused: false, looks: true, asleep: [321, 323] });
    expect([lowerOf(back), back.operation.completedMs, back.clientAwayMs]).to.deep.equal([303, 323, 0]); // the truth: 302
  });

  it('takes a refused connection for what it is, also from a client that slept', () => {
    const back = returnOf({ backMs: 500, tookMs: 5, refused: true, looks: true, asleep: [300, 420] });
    expect([back.before.intendedMs, back.operation.intendedMs]).to.deep.equal([480, 500]);
  });

  it('is known to a look, not to a period, from a client that looks at its clock', () => {
    const slept = { backMs: 500, tookMs: 60, refused: true, asleep: [517, 527] } as const;
    expect(returnOf({ ...slept, looks: true }).clientAwayMs).to.equal(527 - 515);
    expect(returnOf({ ...slept, looks: false }).clientAwayMs).to.equal(527 - 500);
  });

  it('a client that slept over the return cannot say when it was', () => {
    const back = returnOf({ backMs: 500, tookMs: 5, refused: true, looks: true, asleep: [490, 900] });
    expect(back.before.intendedMs).to.equal(480);
    expect(lowerOf(back)).to.be.at.most(505);
    expect(back.clientAwayMs).to.be.at.least(400);
  });
});

describe('the beginning of an outage', () => {
  const failed = (intendedMs: number): ServiceSample => ({
    intendedMs,
    completedMs: intendedMs + 1,
    outcome: 'failed',
    reason: 'connect-refused',
  });
  const served = (intendedMs: number): ServiceSample => ({ intendedMs, completedMs: intendedMs + 1, outcome: 'ok' });
  const samples = Array.from({ length: 200 }, (_, index) => index * WORKLOAD.periodMs).map((ms) =>
    ms >= 1000 && ms < 2000 ? failed(ms) : served(ms),
  );

  it('is the effect, where service was sustained only while the effect may not have begun yet: an interval may be seconds wide', () => {
    const effect = { lowerMs: 0, upperMs: 900 };
    expect(outagesAfter(samples, effect, WORKLOAD).map(({ began }) => began)).to.deep.equal([effect]);
  });

  it('is its own where service was sustained after the effect for certain', () => {
    expect(outagesAfter(samples, { lowerMs: 0, upperMs: 500 }, WORKLOAD).map(({ began }) => began)).to.deep.equal([
      { lowerMs: 980, upperMs: 1000 },
    ]);
  });
});
