import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import { LagMeter, UNKNOWN_LAG_MS } from './lag.ts';

describe('the lag of a standby', () => {
  let nowMs: number;
  let meter: LagMeter;
  const clock = { monotonicMs: () => nowMs } as Clock;
  beforeEach(() => {
    nowMs = 1_000_000;
    meter = new LagMeter(clock);
  });

  it('is never told as less than the age of what it lacks, however much was written since, nor as much more', () => {
    const atMs = new Map<number, number>();
    for (let index = 1; index <= 100_000; index++) {
      nowMs += index % 2;
      atMs.set(index, nowMs);
      meter.appended(index);
    }
    for (const has of [0, 1, 500, 9_999, 50_000, 90_000, 99_000, 99_998]) {
      const ageMs = nowMs - atMs.get(has + 1)!;
      expect(meter.lagMs(has, 100_000, nowMs), `has ${has}`).to.be.within(ageMs, ageMs * 1.02 + 1);
    }
    expect(meter.lagMs(100_000, 100_000, nowMs)).to.equal(0);
  });

  it('is not known where it lacks what was there before: not as old as this process', () => {
    meter.appended(501);
    nowMs += 1000;
    expect(meter.lagMs(400, 501, nowMs)).to.equal(UNKNOWN_LAG_MS);
    expect(meter.lagMs(500, 501, nowMs)).to.equal(1000);
    expect(meter.lagMs(500, 501, nowMs - 400), 'as it was').to.equal(600);
    expect(new LagMeter(clock).lagMs(0, 5, nowMs)).to.equal(UNKNOWN_LAG_MS);
  });
});
