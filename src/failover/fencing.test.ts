import { expect } from 'chai';
import fc from 'fast-check';
import { PRESETS } from '../config/policy.ts';
import { fencedAtMs, holderRemainingMs, mayReacquire, sealQuorum, sightLease, successorMayActAtMs } from './fencing.ts';

const lease = (epoch: number, seq: number) => ({ epoch, holder: 'us-central1', incarnation: 'i', seq });

describe('fencing', () => {
  it('never lets holder and successor overlap, whatever the delays and 5 % drift of either clock', () => {
    const delay = fc.double({ min: 0, max: 10_000, noNaN: true });
    const rate = fc.double({ min: 0.95, max: 1.05, noNaN: true });
    fc.assert(
      fc.property(delay, delay, delay, rate, rate, (sent, toStore, toSight, holderRate, successorRate) => {
        for (const policy of Object.values(PRESETS)) {
          const seen = sent + toStore + toSight;
          const holderStops = sent + holderRemainingMs(0, 0, policy) / holderRate;
          const sighting = sightLease(null, { value: lease(1, 1), revision: 7 }, seen * successorRate);
          const successorActs = successorMayActAtMs(sighting as NonNullable<typeof sighting>, policy) / successorRate;
          expect(successorActs).to.be.greaterThan(holderStops);
        }
      }),
    );
  });

  it('keeps the time of the first sight of a revision and never goes back to an older one', () => {
    const first = sightLease(null, { value: lease(1, 1), revision: 5 }, 100);
    expect(sightLease(first, { value: lease(1, 1), revision: 5 }, 900)).to.equal(first);
    expect(sightLease(first, { value: lease(1, 0), revision: 4 }, 900)).to.equal(first);
    expect(sightLease(first, { value: lease(1, 2), revision: 6 }, 900)?.seenAtMs).to.equal(900);
    expect(sightLease(first, null, 900)).to.equal(first);
  });

  it('counts from the sight of the replaced revision only where it was just that one', () => {
    const replaced = { lease: lease(1, 9), revision: 40, seenAtMs: 1000 };
    const pending = (replacedRevision: number) => ({
      lease: { epoch: 2, holder: null, incarnation: 'run', seq: replacedRevision },
      revision: 50,
      seenAtMs: 1900,
    });
    const policy = PRESETS.lab;
    expect(fencedAtMs(pending(40), replaced, policy)).to.equal(2600);
    expect(fencedAtMs(pending(41), replaced, policy)).to.equal(3500);
    expect(fencedAtMs(pending(40), null, policy)).to.equal(3500);
  });

  it('lets only the named region reacquire, and not while a failover is open', () => {
    const journal = { step: 'PROMOTE', epoch: 2, runId: 'r' } as never;
    expect(mayReacquire('us-central1', lease(1, 3), null)).to.deep.equal({ may: true, epoch: 2 });
    expect(mayReacquire('us-east1', lease(1, 3), null)).to.have.property('may', false);
    expect(mayReacquire('us-central1', { ...lease(2, 0), holder: null }, null)).to.have.property('may', false);
    expect(mayReacquire('us-central1', lease(1, 3), journal)).to.have.property('may', false);
    expect(mayReacquire('us-central1', lease(2, 3), journal)).to.have.property('may', true);
    expect(mayReacquire('us-central1', null, null)).to.have.property('may', false);
  });

  it('seals so many that they meet every possible acknowledging group', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), (n, w) => {
        fc.pre(w <= n);
        const set = Array.from({ length: n }, (_, i) => String(i));
        expect(sealQuorum(set, w) + w).to.be.greaterThan(n);
      }),
    );
    expect(sealQuorum(['us-east1', 'europe-west1'], 1)).to.equal(2);
  });
});
