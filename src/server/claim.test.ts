import { expect } from 'chai';
import { NO_RECORDS, type Lease, type Snapshot } from '../arbiter/arbiter.ts';
import { decideClaim, decidePromotion, type Claimant } from './claim.ts';

const [CENTRAL, EAST, EUROPE] = ['us-central1', 'us-east1', 'europe-west1'] as const;
const self = (change: Partial<Claimant> = {}): Claimant => ({
  region: CENTRAL,
  incarnation: 'me',
  primaryRegion: CENTRAL,
  others: [EAST, EUROPE],
  mode: 'sync',
  end: { epoch: 3, index: 50 },
  sealedEpoch: 3,
  restored: null,
  ...change,
});
const held = (change: Partial<Lease> = {}, more: Partial<Snapshot> = {}): Snapshot => ({
  ...NO_RECORDS,
  revision: 9,
  lease: { value: { epoch: 3, holder: CENTRAL, incarnation: 'before', seq: 4, ...change }, revision: 9 },
  replication: { value: { epoch: 3, mode: 'sync', set: [EUROPE], w: 1 }, revision: 5 },
  ...more,
});
const open = (epoch: number) =>
  ({ failover: { value: { step: 'PROMOTE', epoch, runId: 'r' }, revision: 8 } }) as unknown as Partial<Snapshot>;

describe('what a database without a lease does', () => {
  it('begins in an empty world where it is the configured primary and its disk is empty', () => {
    const empty = self({ end: { epoch: 0, index: 0 }, sealedEpoch: 0 });
    const claim = decideClaim(NO_RECORDS, empty);
    expect(claim).to.deep.equal({
      kind: 'acquire',
      acquiring: { epoch: 1, expected: null, rule: { mode: 'sync', set: [EAST, EUROPE], w: 1 }, before: null, how: 'bootstrap', waitMs: 0 },
    });
    expect(decideClaim(NO_RECORDS, { ...empty, region: EAST }).kind).to.equal('follow');
  });

  it('refuses an arbiter that knows nothing, unless it is restored to just this log', () => {
    expect(decideClaim(NO_RECORDS, self()).kind).to.equal('refuse');
    expect(decideClaim(NO_RECORDS, self({ restored: { epoch: 3, index: 49, highestEpoch: 3 } })).kind).to.equal('refuse');
    const restored = decideClaim(NO_RECORDS, self({ restored: { epoch: 3, index: 50, highestEpoch: 5 }, sealedEpoch: 7 }));
    expect(restored).to.have.nested.include({ 'acquiring.epoch': 8, 'acquiring.how': 'restored' });
    const left = decideClaim(NO_RECORDS, self({ restored: { epoch: 3, index: 50, highestEpoch: 9 }, sealedEpoch: 7 }));
    expect(left).to.have.nested.include({ 'acquiring.epoch': 10 });
  });

  it('takes the next epoch where the record names it still, with the commit rule that is there', () => {
    const claim = decideClaim(held(), self());
    expect(claim).to.have.nested.include({ kind: 'acquire', 'acquiring.epoch': 4, 'acquiring.expected': 9, 'acquiring.how': 'reacquired' });
    expect(claim)
      .to.have.nested.property('acquiring.rule')
      .that.deep.equals({ mode: 'sync', set: [EUROPE], w: 1 });
  });

  it('learns from the lease that it replaces for how long the process before it may have promised', () => {
    const request = { epoch: 4, runId: 'r', mode: 'sync', set: [EUROPE], w: 1 } as const;
    const pending = { epoch: 4, holder: null, incarnation: 'r', seq: 9 };
    const promoted = (change: Partial<Lease>) =>
      decidePromotion(held({ ...pending, ...change }), { ...request, set: [EUROPE] }, self({ sealedEpoch: 4 }));
    expect(promoted({ times: { holderStopsMs: 12_000, successorWaitsMs: 16_000 } })).to.include({ waitMs: 16_000 });
    expect(promoted({})).to.include({ waitMs: 0 });
  });

  it('follows where another holds the lease or a failover is under way, and waits for its own promotion', () => {
    expect(decideClaim(held({ holder: EAST }), self()).kind).to.equal('follow');
    expect(decideClaim(held({ holder: null }), self()).kind).to.equal('follow');
    expect(decideClaim(held({}, open(4)), self()).kind).to.equal('follow');
    expect(decideClaim(held({ incarnation: 'me' }, open(3)), self()).kind).to.equal('wait');
  });

  it('is no holder with a disk that never sealed the epoch', () => {
    expect(decideClaim(held(), self({ sealedEpoch: 2 }))).to.deep.equal({ kind: 'follow', why: 'this disk never held that epoch' });
  });

  it('uses no epoch twice where the arbiter was set back to an older state', () => {
    const ahead = self({ end: { epoch: 4, index: 60 }, sealedEpoch: 4 });
    for (const lease of [held(), held({ holder: EAST })])
      expect(decideClaim(lease, ahead))
        .to.deep.include({ kind: 'refuse' })
        .and.have.property('why')
        .that.matches(/epoch 4, the arbiter is at 3/);
    const request = { epoch: 4, runId: 'r', mode: 'sync', set: [EAST], w: 1 } as const;
    expect(decidePromotion(held({ epoch: 4, holder: null }), { ...request, set: [...request.set] }, ahead)).to.match(/an epoch twice/);
  });

  it('is promoted only to an epoch that is pending, or its own already', () => {
    const request = { epoch: 4, runId: 'r', mode: 'sync', set: [CENTRAL, EAST], w: 1 } as const;
    const sealed = self({ sealedEpoch: 4 });
    const promotion = (change: Partial<Lease>) => decidePromotion(held(change), { ...request, set: [...request.set] }, sealed);
    expect(promotion({ epoch: 4, holder: null })).to.deep.include({ epoch: 4, expected: 9, rule: { mode: 'sync', set: [EAST], w: 1 } });
    expect(promotion({ epoch: 4, incarnation: 'me' })).to.include({ epoch: 4 });
    expect(promotion({ epoch: 4 })).to.match(/not pending in epoch 4: epoch 4 of us-central1/);
    expect(promotion({ epoch: 5, holder: null })).to.match(/epoch 5 of nobody yet/);
    expect(decidePromotion(NO_RECORDS, { ...request, set: [] }, sealed)).to.match(/there is no lease/);
  });

  it('is not promoted with a disk that was never sealed for the epoch: one that was emptied while people were asked', () => {
    const request = { epoch: 4, runId: 'r', mode: 'sync' as const, set: [EAST], w: 1 };
    const promotion = (change: Partial<Claimant>) => decidePromotion(held({ epoch: 4, holder: null }), request, self(change));
    expect(promotion({ sealedEpoch: 0, end: { epoch: 0, index: 0 } })).to.match(/never sealed for epoch 4/);
    expect(promotion({ sealedEpoch: 3 })).to.match(/never sealed for epoch 4/);
    expect(promotion({ sealedEpoch: 4 })).to.include({ how: 'promoted' });
  });
});
