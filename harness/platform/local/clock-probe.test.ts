import { expect } from 'chai';
import { offsetOf } from './clock-probe.ts';

describe("a program's clock", () => {
  const answer = (timestampMs: number): string => JSON.stringify({ timestamp: new Date(timestampMs).toISOString() });
  const NOON = Date.UTC(2026, 0, 1, 12);

  it('is off by what its answer says, against the middle of the time that the answer took', () => {
    expect(offsetOf(answer(NOON + 600_000), NOON - 100, NOON + 100)).to.equal(600_000);
    expect(offsetOf(answer(NOON), NOON, NOON)).to.equal(0);
  });

  it('is not known from an answer that was under way for so long that it looks like a clock that was moved', () => {
    // Asked for -3 s: the clock is right, and its answer was read six seconds late.
    expect(offsetOf(answer(NOON), NOON, NOON + 6000)).to.equal(null);
    expect(offsetOf(answer(NOON), NOON, NOON + 2000)).to.equal(-1000);
  });

  it('is not known from an answer that tells no time', () => {
    for (const text of ['', '{}', 'null', '{"timestamp":1}', '{"timestamp":"noon"}'])
      expect(offsetOf(text, NOON, NOON), text).to.equal(null);
  });
});
