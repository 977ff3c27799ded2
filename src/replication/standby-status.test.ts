import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import { LagMeter } from './lag.ts';
import { statusOf } from './standby-status.ts';

describe('what a primary tells of a standby', () => {
  const lag = new LagMeter({ monotonicMs: () => 1000 } as Clock);
  const state = { log: { epoch: 1, index: 110 }, commitIndex: 100 };
  const rule = { mode: 'sync', set: ['b'], w: 1 } as const;
  const inSync = (view: { region: string; ageMs?: number; forgot?: boolean }): boolean =>
    statusOf({ matchIndex: 105, ageMs: 10, ...view }, state, rule, { lag, untilMs: 1000, dropAfterMs: 500 }).inSync;

  it('is in sync where it is of the set and answers, and has not forgotten what it had acknowledged', () => {
    expect(inSync({ region: 'b' })).to.equal(true);
    expect(inSync({ region: 'c' })).to.equal(false);
    expect(inSync({ region: 'b', ageMs: 900 })).to.equal(false);
    expect(inSync({ region: 'b', forgot: true })).to.equal(false);
  });
});
