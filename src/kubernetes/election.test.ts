import { expect } from 'chai';
import fc from 'fast-check';
import { decide, sight, type LeaseView, type Sighting } from './election.ts';

const LEASE_MS = 15_000;
const lease = (version: string, holder: string | null): LeaseView => ({ version, holder });

describe('election by a Lease: decide', () => {
  const never: Sighting = { version: null, sinceMs: 0 };

  it('creates a Lease that is not there, takes a free one, renews its own', () => {
    expect(decide(null, never, 'a', 0, LEASE_MS)).to.deep.equal({ move: 'create' });
    expect(decide(lease('1', null), never, 'a', 0, LEASE_MS)).to.deep.equal({ move: 'write', transition: true });
    expect(decide(lease('1', 'a'), never, 'a', 0, LEASE_MS)).to.deep.equal({ move: 'write', transition: false });
  });

  it("takes another's only when it has not changed for as long as a lease, counted from when we saw it, whatever its own times say", () => {
    let seen = sight(never, lease('1', 'b'), 100);
    expect(decide(lease('1', 'b'), seen, 'a', 100 + LEASE_MS - 1, LEASE_MS)).to.deep.equal({ move: 'wait' });
    expect(decide(lease('1', 'b'), seen, 'a', 100 + LEASE_MS, LEASE_MS)).to.deep.equal({ move: 'write', transition: true });
    seen = sight(seen, lease('2', 'b'), 100 + LEASE_MS);
    expect(decide(lease('2', 'b'), seen, 'a', 100 + LEASE_MS, LEASE_MS), 'renewed in the last moment').to.deep.equal({ move: 'wait' });
  });

  it('starts to count anew with every version, and with none other', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('1', '2', '3'), fc.nat(5000)), { minLength: 1, maxLength: 20 }), (looks) => {
        let seen = never;
        let nowMs = 0;
        let changedAtMs = 0;
        let version: string | null = null;
        for (const [next, afterMs] of looks) {
          nowMs += afterMs;
          if (next !== version) changedAtMs = nowMs;
          version = next;
          seen = sight(seen, lease(next, 'b'), nowMs);
          expect(seen).to.deep.equal({ version: next, sinceMs: changedAtMs });
        }
      }),
    );
  });
});
