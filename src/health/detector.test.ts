import { expect } from 'chai';
import fc from 'fast-check';
import { PRESETS } from '../config/policy.ts';
import { afterProbe, afterTime, beginDetection, type Detection } from './detector.ts';

const policy = PRESETS.lab;
const begun = beginDetection('us-central1', 1, 1000);

describe('detector', () => {
  it('gives a new primary the full time, then suspects from the moment when it was over', () => {
    expect(afterTime(begun, 1599, policy).suspectSinceMs).to.equal(null);
    expect(afterTime(begun, 1600, policy).suspectSinceMs).to.equal(1600);
    expect(afterTime(begun, 9999, policy).suspectSinceMs).to.equal(1600);
  });

  it('is not moved by failures as long as there are successes in time', () => {
    let detection = begun;
    for (let nowMs = 1100; nowMs < 10_000; nowMs += 100) {
      detection = afterProbe(detection, (nowMs / 100) % 5 === 0, nowMs, policy);
      expect(detection.suspectSinceMs).to.equal(null);
    }
  });

  it('clears a suspicion after three straight successes, not after two and one more', () => {
    const suspect = afterTime(begun, 2000, policy);
    const after = (outcomes: readonly boolean[]): Detection =>
      outcomes.reduce((detection, committed, i) => afterProbe(detection, committed, 2100 + 100 * i, policy), suspect);
    expect(after([true, true]).suspectSinceMs).to.equal(1600);
    expect(after([true, true, false, true]).suspectSinceMs).to.equal(1600);
    expect(after([true, true, true]).suspectSinceMs).to.equal(null);
  });

  it('suspects if and only if the time without success was over or the suspicion is not cleared', () => {
    const probes = fc.array(fc.record({ gapMs: fc.integer({ min: 1, max: 900 }), committed: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(probes, (given) => {
        let [detection, nowMs, lastMs, straight, suspect] = [begun, 1000, 1000, 0, false];
        for (const { gapMs, committed } of given) {
          nowMs += gapMs;
          if (nowMs - lastMs >= policy.suspectAfterMs) [suspect, straight] = [true, suspect ? straight : 0];
          straight = committed ? straight + 1 : 0;
          if (committed) lastMs = nowMs;
          if (straight >= policy.clearAfterSuccesses) suspect = false;
          detection = afterProbe(detection, committed, nowMs, policy);
          expect(detection.suspectSinceMs !== null).to.equal(suspect);
        }
      }),
    );
  });
});
