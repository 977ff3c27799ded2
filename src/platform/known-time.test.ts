import { expect } from 'chai';
import { timesAtLatest, timesInOrder } from './known-time.ts';

describe('times of what was made one after the other', () => {
  it('are not before those before, except of what is still to come', () => {
    expect(timesInOrder([1, 3, 2, 99, 4], 50)).to.deep.equal([1, 3, 3, 99, 4]);
  });

  it('are at the latest that of the next one of which nothing is wrong, where the clock was behind, or now', () => {
    expect(timesAtLatest([1, 3, 2, 2, 99, 4, 5], 50)).to.deep.equal([1, 3, 4, 4, 99, 4, 5]);
    expect(timesAtLatest([3, 2, 99], 50)).to.deep.equal([3, 50, 99]);
    expect(new Date(timesAtLatest([3, 2], Number.POSITIVE_INFINITY)[1]!).toISOString()).to.match(/^\+275760/);
  });
});
