import { expect } from 'chai';
import { nextDueMs } from './schedule.ts';

describe('when the next backup is due', () => {
  const timetable = { intervalMs: 3_600_000, jitterMs: 60_000, retryMs: 10_000 };
  it('is at once where there is none', () => {
    expect(nextDueMs(timetable, { newestAtMs: null, failures: 0, lastFailureAtMs: null }, 0.5)).to.equal(0);
  });
  it('is an interval and a part of the jitter after the newest, whoever made it', () => {
    expect(nextDueMs(timetable, { newestAtMs: 1000, failures: 0, lastFailureAtMs: null }, 0.5)).to.equal(1000 + 3_600_000 + 30_000);
  });
  it('waits longer after each failure, but never longer than the interval', () => {
    const after = (failures: number): number =>
      nextDueMs(timetable, { newestAtMs: 0, failures, lastFailureAtMs: 5_000_000 }, 0) - 5_000_000;
    expect([after(1), after(2), after(3), after(20)]).to.deep.equal([10_000, 20_000, 40_000, 3_600_000]);
  });
});
