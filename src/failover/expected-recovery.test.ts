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
    const { decided, decidedAnew, fenced, service } = expectedRecovery(PRESETS.production, 30);
    expect(decided.meanMs).to.equal(15_000);
    // What a leader knows of the databases is as old as its questions are apart, from its first moment on.
    expect(decidedAnew).to.deep.equal(decided);
    expect(fenced).to.deep.equal({ earliestMs: 14_000, meanMs: 15_000, latestMs: 16_000 });
    expect(service).to.deep.equal({ earliestMs: 14_000, meanMs: 30_000, latestMs: 46_000 });
  });

  it('a leader that is lost with the region delays the decision only where it takes longer to replace than the primary to confirm', () => {
    const { decidedAnew } = expectedRecovery({ ...PRESETS.production, leaderTakeoverMs: 20_000 }, 30);
    expect(decidedAnew).to.deep.equal({ earliestMs: 20_000, meanMs: 21_000, latestMs: 22_000 });
  });
});
