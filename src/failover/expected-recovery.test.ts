import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import { expectedRecovery } from './expected-recovery.ts';

describe('what a policy makes of a lost region', () => {
  it('lab: the lease decides, as it is waited out after the decision', () => {
    const { decided, fenced, service } = expectedRecovery(PRESETS.lab, 1);
    expect(decided).to.deep.equal({ earliestMs: 800, meanMs: 900, latestMs: 1000 });
    expect(fenced).to.deep.equal({ earliestMs: 1400, meanMs: 1500, latestMs: 1600 });
    expect(service).to.deep.equal({ earliestMs: 1400, meanMs: 2000, latestMs: 2600 });
  });

  it('production: deciding takes as long as the lease, and the name as long as both', () => {
    const { decided, fenced, service } = expectedRecovery(PRESETS.production, 30);
    expect(decided.meanMs).to.equal(15_000);
    expect(fenced).to.deep.equal({ earliestMs: 14_000, meanMs: 15_000, latestMs: 16_000 });
    expect(service).to.deep.equal({ earliestMs: 14_000, meanMs: 30_000, latestMs: 46_000 });
  });
});
