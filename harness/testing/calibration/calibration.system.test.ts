import { expect } from 'chai';
import { systemClock } from '../../platform/clock.ts';
import { calibrateLane } from './lane.ts';

describe('calibration: an outage of known length, made by a device that shares no code with the measurement', function () {
  this.timeout(60_000);

  it('one of 200 ms and one of 5 000 ms, refused and black-holed, are measured for what they were', async () => {
    const originNs = process.hrtime.bigint();
    const outages = [
      { forMs: 200, how: 'refuse' },
      { forMs: 200, how: 'black-hole' },
      { forMs: 5000, how: 'refuse' },
    ] as const;
    const context = { clock: systemClock(originNs), originNs, random: () => 0.5, signal: AbortSignal.timeout(50_000) };
    for (const { outageMs, truthMs, measured } of await calibrateLane(outages, context)) {
      expect(truthMs).to.be.at.least(outageMs);
      if (measured.state !== 'recovered') throw new Error(`an outage of ${outageMs} ms was taken for ${JSON.stringify(measured)}`);
      // Order, not accuracy: statistics are for ./scripts/bench calibrate. What was measured must be this outage and no other.
      expect(measured.upperMs).to.be.at.least(truthMs);
      expect(measured.lowerMs).to.be.at.most(measured.upperMs);
    }
  });
});
