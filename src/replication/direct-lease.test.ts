import { expect } from 'chai';
import fc from 'fast-check';
import { PRESETS } from '../config/policy.ts';
import type { Clock } from '../platform/clock.ts';
import { DirectLeases, Promises } from './direct-lease.ts';

const policy = PRESETS.lab;

/** A clock that stands where the test puts it. */
class Watch implements Clock {
  nowMs: number;
  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }
  monotonicMs(): number {
    return this.nowMs;
  }
  wall(): Date {
    return new Date(this.nowMs);
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

describe('direct leases', () => {
  it('last only as long as every other region has promised, counted from when it was asked', () => {
    const clock = new Watch(1000);
    const direct = new DirectLeases({ others: ['b', 'c'], clock, policy });
    expect(direct.remainingMs()).to.equal(0);
    direct.promised('b', 1000);
    expect(direct.remainingMs()).to.equal(0);
    direct.promised('c', 900);
    expect(direct.remainingMs()).to.equal(policy.holderStopsMs - 100);
    // An answer that comes late is about an older question.
    direct.promised('c', 800);
    expect(direct.remainingMs()).to.equal(policy.holderStopsMs - 100);
    clock.nowMs = 900 + policy.holderStopsMs;
    expect(direct.remainingMs()).to.equal(0);
  });

  it('do not exist where there is nobody to promise', () => {
    expect(new DirectLeases({ others: [], clock: new Watch(5), policy }).remainingMs()).to.equal(0);
  });

  it('end before the standby may be promoted, whatever the delays, 5 % drift of either clock and the policy of either', () => {
    const delay = fc.double({ min: 0, max: 10_000, noNaN: true });
    const rate = fc.double({ min: 0.95, max: 1.05, noNaN: true });
    fc.assert(
      fc.property(delay, delay, rate, rate, fc.boolean(), (sent, toArrive, primaryRate, standbyRate, restarted) => {
        const presets = Object.values(PRESETS);
        for (const [preset, own] of presets.flatMap((one) => presets.map((other) => [one, other] as const))) {
          const primary = new Watch(sent * primaryRate);
          const direct = new DirectLeases({ others: ['b'], clock: primary, policy: preset });
          direct.promised('b', primary.nowMs);
          const primaryStops = sent + direct.remainingMs() / primaryRate;
          const standby = new Watch((sent + toArrive) * standbyRate);
          let promises = new Promises(standby, own);
          promises.promise('a', 1, preset.successorWaitsMs);
          // The next process knows nothing of it but what the lease tells that was replaced.
          if (restarted) promises = new Promises(standby, own);
          const standbyMay = sent + toArrive + promises.boundMs(restarted ? preset.successorWaitsMs : 0) / standbyRate;
          expect(standbyMay).to.be.greaterThan(primaryStops);
        }
      }),
    );
  });
});

describe('promises of a standby', () => {
  it('bind a process that has just started, which cannot know what the one before it promised', () => {
    const clock = new Watch(50_000);
    const promises = new Promises(clock, policy);
    expect(promises.current()).to.equal(null);
    expect(promises.boundMs()).to.equal(policy.successorWaitsMs);
    clock.nowMs += policy.successorWaitsMs;
    expect(promises.boundMs()).to.equal(0);
  });

  it('bind for as long as the primary asks, and never for less than by the own policy', () => {
    const clock = new Watch(50_000);
    const promises = new Promises(clock, policy);
    clock.nowMs += 10_000;
    promises.promise('a', 3, 9 * policy.successorWaitsMs);
    expect(promises.boundMs()).to.equal(9 * policy.successorWaitsMs);
    promises.promise('a', 3, 1);
    promises.promise('b', 4);
    expect(promises.boundMs()).to.equal(9 * policy.successorWaitsMs);
    clock.nowMs += 9 * policy.successorWaitsMs;
    promises.promise('b', 4, 1);
    expect(promises.boundMs()).to.equal(policy.successorWaitsMs);
  });

  it('are over after the last of them, whoever got it', () => {
    const clock = new Watch(50_000);
    const promises = new Promises(clock, policy);
    clock.nowMs += 10_000;
    promises.promise('a', 3);
    clock.nowMs += 500;
    promises.promise('b', 4);
    expect(promises.current()).to.deep.include({ to: 'b', epoch: 4 });
    clock.nowMs += policy.successorWaitsMs - 1;
    expect(promises.boundMs()).to.equal(1);
    clock.nowMs += 1;
    expect(promises.boundMs()).to.equal(0);
    expect(promises.current()).to.equal(null);
  });
});
