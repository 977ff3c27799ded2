import { expect } from 'chai';
import { systemClock } from '../../platform/clock.ts';
import { calibrateLane } from './lane.ts';

describe('calibration: an outage of known length, made by a device that shares no code with the measurement', function () {
  this.timeout(120_000);

  it('one of a second and one of five, refused and black-holed, are measured for what they were', async () => {
    const originNs = process.hrtime.bigint();
    // Of 200 ms in ./scripts/bench calibrate: on a busy machine the client itself may stand still for as long, and sees nothing.
    const outages = [
      { forMs: 1000, how: 'refuse' },
      { forMs: 1000, how: 'black-hole' },
      { forMs: 5000, how: 'refuse' },
    ] as const;
    const context = { clock: systemClock(originNs), originNs, random: () => 0.5, signal: AbortSignal.timeout(110_000) };
    for (const { outageMs, truthMs, measured } of await calibrateLane(outages, context)) {
      expect(truthMs).to.be.at.least(outageMs);
      if (measured.state !== 'recovered') throw new Error(`an outage of ${outageMs} ms was taken for ${JSON.stringify(measured)}`);
      // Order, not accuracy: statistics are for ./scripts/bench calibrate. What was measured must be this outage and no other.
      expect(measured.upperMs).to.be.at.least(truthMs);
      expect(measured.lowerMs).to.be.at.most(measured.upperMs);
    }
  });
});
