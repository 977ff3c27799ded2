import { expect } from 'chai';
import * as fc from 'fast-check';
import { lockUid, readLockUid, uidOfStoredLock } from './lock-uid.ts';

describe('UID of a lock', () => {
  it('carries the epoch and the system, and comes back', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), fc.string(), (epoch, system) => {
        const uid = lockUid({ system, epoch });
        expect(uid).to.match(/^[0-9a-f]{32}$/);
        expect(readLockUid(uid, system)).to.deep.equal({ kind: 'ours', epoch });
      }),
    );
  });

  it('is made as documented', () => {
    // 'CDR1' · `printf orders | sha256sum | cut -c1-8` · 258
    expect(lockUid({ system: 'orders', epoch: 258 })).to.equal('434452311c168adb0000000000000102');
  });

  it("takes another system's lock, an operator's and one of fdbdr for foreign", () => {
    const other = lockUid({ system: 'another', epoch: 3 });
    expect(readLockUid(other, 'orders')).to.deep.equal({ kind: 'foreign', uid: other });
    const random = '5a0c4f1e88d1a6b0c1e2f30415263748';
    expect(readLockUid(random, 'orders')).to.deep.equal({ kind: 'foreign', uid: random });
  });

  it('takes an epoch that no number can hold for foreign: nothing is to be compared with it', () => {
    const uid = `${lockUid({ system: 'orders', epoch: 1 }).slice(0, 16)}ffffffffffffffff`;
    expect(readLockUid(uid, 'orders').kind).to.equal('foreign');
  });

  it('refuses what is no UID', () => {
    for (const uid of ['', 'xyz', '0'.repeat(31), 'G'.repeat(32), '0'.repeat(33), 'ABCDEF0123456789ABCDEF0123456789'])
      expect(() => readLockUid(uid, 'orders'), uid).to.throw(RangeError);
  });

  it('refuses an epoch that is none', () => {
    for (const epoch of [-1, 1.5, NaN, 2 ** 53]) expect(() => lockUid({ system: 'orders', epoch }), String(epoch)).to.throw(RangeError);
  });

  it('finds the UID in the stored value, where both halves are little-endian', () => {
    const uid = lockUid({ system: 'orders', epoch: 258 });
    const halves = [uid.slice(0, 16), uid.slice(16)].map((half) => Buffer.from(half, 'hex').reverse());
    const stored = Buffer.concat([Buffer.alloc(10, 7), ...halves]);
    expect(uidOfStoredLock(stored)).to.equal(uid);
    expect(() => uidOfStoredLock(stored.subarray(1))).to.throw(RangeError);
  });
});
