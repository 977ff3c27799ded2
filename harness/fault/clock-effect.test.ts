import { expect } from 'chai';
import type { ClockReading } from '../history/event.ts';
import { judgeClocks, type ClockEvidence } from './clock-effect.ts';

const reading = (pod: string, atMs: number, offsetMs: number | null): ClockReading => ({ pod, atMs, offsetMs });
const judge = (readings: readonly ClockReading[], over: Partial<ClockEvidence> = {}) =>
  judgeClocks({
    fault: 'f',
    moment: 'during',
    expected: { kind: 'clocks-moved', pods: ['a', 'b'], offsetMs: -600_000 },
    readings,
    requestedMs: 100,
    ...over,
  });

describe('effect on clocks', () => {
  it('is confirmed when every program says a time that is off by what was asked, with the interval', () => {
    const effect = judge([reading('a', 110, 0), reading('b', 111, -600_020), reading('a', 900, -599_990), reading('b', 901, -600_000)]);
    expect(effect).to.deep.include({ confirmed: true, betweenMs: [100, 900], skewMs: 789 });
  });
  it('is not confirmed by a clock that is right, off by something else, right again, or unknown', () => {
    for (const last of [0, 600_000, -598_000, null])
      expect(judge([reading('a', 110, -600_000), reading('b', 110, -600_000), reading('b', 120, last)]).confirmed).to.equal(false);
    expect(judge([reading('a', 110, -600_000)]).confirmed).to.equal(false);
  });
  it('right before the heal every clock must still be off', () => {
    const last = (offsetMs: number) => judge([reading('a', 110, -600_000), reading('b', 110, offsetMs)], { moment: 'before-heal' });
    expect(last(-600_010).confirmed).to.equal(true);
    expect(last(-600_010)).to.not.have.property('betweenMs');
    expect(last(3).confirmed).to.equal(false);
  });
  it('before and after every clock must be right', () => {
    for (const moment of ['before', 'after-heal'] as const) {
      expect(judge([reading('a', 110, 3), reading('b', 110, -40)], { moment }).confirmed).to.equal(true);
      expect(judge([reading('a', 110, 3), reading('b', 110, -600_000)], { moment }).confirmed).to.equal(false);
    }
  });
});
