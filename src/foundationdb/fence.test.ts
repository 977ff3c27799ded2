import { expect } from 'chai';
import { decodeFence, NO_FENCE } from './fence.ts';

function stored(json: unknown, version = 0x0102030405n): Buffer {
  const stamp = Buffer.alloc(10);
  stamp.writeBigUInt64BE(version);
  return Buffer.concat([stamp, Buffer.from(JSON.stringify(json))]);
}

describe('fence of a key space', () => {
  it('is open where nothing is stored', () => {
    expect(decodeFence(null)).to.deep.equal(NO_FENCE);
  });

  it('tells the epoch, who served last, and the version of its last change', () => {
    const [served, version] = [{ epoch: 3, servedEpoch: 2, servedBy: 'us-east1' }, 0x0102030405];
    // As it was written before there were copies.
    expect(decodeFence(stored(served))).to.deep.equal({ ...NO_FENCE, ...served, version });
    const all = { ...served, keeps: true, copy: { id: '12', untilVersion: 7 }, restored: true };
    expect(decodeFence(stored(all))).to.deep.equal({ ...all, version });
  });

  it("takes somebody else's value for no fence at all, never for an open one", () => {
    for (const value of [Buffer.alloc(0), Buffer.alloc(10), stored({}), stored({ epoch: '3', servedEpoch: 2, servedBy: 'x' })])
      expect(() => decodeFence(value)).to.throw(RangeError);
    expect(() => decodeFence(Buffer.from('not a fence at all'))).to.throw(RangeError);
  });
});
