import { expect } from 'chai';
import fc from 'fast-check';
import { leaseShape, type Lease } from '../arbiter/arbiter.ts';
import { decodeRecord, encodeRecord } from '../arbiter/record-text.ts';
import { LONGEST_WAIT_MS, policyProblems, PRESETS } from '../config/policy.ts';
import { fencedAtMs, holderRemainingMs, leaseTimes, mayReacquire, sealQuorum, sightLease, successorMayActAtMs } from './fencing.ts';

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

  it('never lets them overlap where the policies of holder, successor and whoever took the epoch differ', () => {
    const delays = fc.record({
      sent: fc.double({ min: 0, max: 10_000, noNaN: true }),
      toSight: fc.double({ min: 0, max: 10_000, noNaN: true }),
    });
    const rate = fc.double({ min: 0.95, max: 1.05, noNaN: true });
    const rates = fc.record({ holderRate: rate, ownRate: rate });
    const policy = fc.constantFrom(PRESETS.lab, PRESETS.production, { ...PRESETS.lab, holderStopsMs: 40_000, successorWaitsMs: 48_000 });
    const policies = fc.record({ holder: policy, own: policy, taker: policy });
    fc.assert(
      fc.property(delays, rates, policies, fc.boolean(), ({ sent, toSight }, { holderRate, ownRate }, { holder, own, taker }, saw) => {
        const { holderStopsMs, successorWaitsMs } = holder;
        const held = { ...lease(1, 4), times: { holderStopsMs, successorWaitsMs } };
        const holderStops = sent + holderRemainingMs(0, 0, holder) / holderRate;
        const sight = (value: Lease, revision: number) =>
          sightLease(null, { value, revision }, (sent + toSight) * ownRate) as NonNullable<ReturnType<typeof sightLease>>;
        expect(successorMayActAtMs(sight(held, 7), own) / ownRate).to.be.greaterThan(holderStops);
        const pending = { epoch: 2, holder: null, incarnation: 'run', seq: 7, times: leaseTimes(held, taker) };
        expect(fencedAtMs(sight(pending, 8), saw ? sight(held, 7) : null, own) / ownRate).to.be.greaterThan(holderStops);
        // Taken again before anybody served: it is still the first holder that may serve.
        const again = { ...pending, epoch: 3, seq: 8, times: leaseTimes(pending, own) };
        expect(fencedAtMs(sight(again, 9), null, own) / ownRate).to.be.greaterThan(holderStops);
      }),
    );
  });

  it('counts by the own policy where the lease does not tell, and never by less', () => {
    const own = PRESETS.production;
    const { holderStopsMs, successorWaitsMs } = own;
    expect(leaseTimes(lease(1, 1), own)).to.deep.equal({ holderStopsMs, successorWaitsMs });
    expect(leaseTimes(null, own)).to.deep.equal({ holderStopsMs, successorWaitsMs });
    expect(leaseTimes({ ...lease(1, 1), times: { holderStopsMs: 1, successorWaitsMs: 2 } }, own)).to.deep.equal({
      holderStopsMs,
      successorWaitsMs,
    });
  });

  it('refuses a lease that would keep everybody waiting for ever, or none at all, and says what is wrong with it', () => {
    const times = (holderStopsMs: unknown, successorWaitsMs: unknown) => ({ ...lease(1, 1), times: { holderStopsMs, successorWaitsMs } });
    for (const wait of [-1600, 0, NaN, Infinity, 1600.5, '1600', null, 365 * 86_400_000, LONGEST_WAIT_MS + 1])
      expect(leaseShape.safeParse(times(1300, wait)).success, String(wait)).to.equal(false);
    for (const stops of [-1, 0, NaN, 1600, 1700]) expect(leaseShape.safeParse(times(stops, 1600)).success, String(stops)).to.equal(false);
    const longest = { ...lease(1, 1), times: { holderStopsMs: 1300, successorWaitsMs: LONGEST_WAIT_MS } };
    expect(decodeRecord('lease', encodeRecord('lease', longest))).to.deep.equal(longest);
    expect(() => decodeRecord('lease', JSON.stringify(times(1300, 365 * 86_400_000)))).to.throw(/record lease .*successorWaitsMs.*600000/);
    const year = { ...PRESETS.production, successorWaitsMs: 365 * 86_400_000, undoMs: 366 * 86_400_000 };
    expect(policyProblems(year)).to.have.length(1);
    expect(policyProblems(year)[0]).to.contain('successorWaitsMs must not exceed 600000');
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
