import { expect } from 'chai';
import fc from 'fast-check';
import { PRESETS } from '../config/policy.ts';
import { afterProbe, afterTime, beginDetection, missesToSuspect, type Detection, type ProbeOutcome } from './detector.ts';

const policy = PRESETS.lab;
const begun = beginDetection('us-central1', 1, 1000);

const missing = (from: Detection, atMs: readonly number[]): Detection =>
  atMs.reduce((detection, nowMs) => afterProbe(detection, 'missed', nowMs, policy), from);
const enough = Array.from({ length: missesToSuspect(policy) }, (_, i) => 1100 + 100 * i);

describe('detector', () => {
  it('gives a new primary the full time, then suspects from the moment when it was seen to be over', () => {
    const missed = missing(begun, enough);
    expect(afterTime(missed, 1599, policy).suspectSinceMs).to.equal(null);
    expect(afterTime(missed, 1600, policy).suspectSinceMs).to.equal(1600);
    expect(afterTime(afterTime(missed, 1600, policy), 9999, policy).suspectSinceMs).to.equal(1600);
  });

  it('does not suspect because it slept itself: too few probes were missed', () => {
    const woken = missing(
      begun,
      enough.slice(1).map(() => 9000),
    );
    expect(afterTime(woken, 9000, policy).suspectSinceMs).to.equal(null);
    expect(afterProbe(woken, 'missed', 9100, policy).suspectSinceMs).to.equal(9100);
  });

  it('is not moved by misses as long as there are successes in time, also late ones', () => {
    let detection = begun;
    for (let nowMs = 1100; nowMs < 10_000; nowMs += 100) {
      detection = afterProbe(detection, (nowMs / 100) % 5 === 0 ? 'late' : 'missed', nowMs, policy);
      expect(detection.suspectSinceMs).to.equal(null);
    }
  });

  it('clears a suspicion after three straight successes in time, not after two and one more', () => {
    const suspect = afterTime(missing(begun, enough), 1600, policy);
    const after = (outcomes: readonly ProbeOutcome[]): Detection =>
      outcomes.reduce((detection, outcome, i) => afterProbe(detection, outcome, 2100 + 100 * i, policy), suspect);
    expect(after(['commit', 'commit']).suspectSinceMs).to.equal(1600);
    expect(after(['commit', 'commit', 'missed', 'commit']).suspectSinceMs).to.equal(1600);
    expect(after(['commit', 'commit', 'late', 'commit']).suspectSinceMs).to.equal(1600);
    expect(after(['commit', 'commit', 'commit']).suspectSinceMs).to.equal(null);
    expect(after(['late']).lastCommitAtMs).to.equal(2100);
  });

  it('never suspects one that committed within the time, and always one that missed all of it', () => {
    const probes = fc.array(
      fc.record({ gapMs: fc.integer({ min: 1, max: 300 }), outcome: fc.constantFrom<ProbeOutcome>('commit', 'late', 'missed', 'missed') }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(probes, (given) => {
        let [detection, nowMs, lastMs, missed, wasSuspect] = [begun, 1000, 1000, 0, false];
        for (const { gapMs, outcome } of given) {
          nowMs += gapMs;
          missed = outcome === 'missed' ? missed + 1 : missed;
          const due = nowMs - lastMs >= policy.suspectAfterMs && missed >= missesToSuspect(policy);
          detection = afterProbe(detection, outcome, nowMs, policy);
          if (outcome === 'missed') expect(detection.suspectSinceMs !== null).to.equal(wasSuspect || due);
          else [lastMs, missed] = [nowMs, 0];
          wasSuspect = detection.suspectSinceMs !== null;
        }
      }),
    );
  });
});
