import { expect } from 'chai';
import { runKillLoop } from '../testing/backup-kill.ts';

describe('backup commands that are killed', () => {
  it('leave every committed backup whole, no partial restore, and nothing that prune does not reclaim', async () => {
    const { kills, verifications } = await runKillLoop({ kills: 6, random: Math.random, onLine: () => undefined });
    expect(Object.values(kills).reduce((sum, each) => sum + each, 0)).to.equal(6);
    expect(verifications).to.be.greaterThan(0);
  }).timeout(180_000);
});
