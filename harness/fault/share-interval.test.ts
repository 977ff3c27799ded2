import { expect } from 'chai';
import fc from 'fast-check';
import { shareInterval } from './share-interval.ts';

describe('interval of a share', () => {
  it('is that of Wilson (1927)', () => {
    const [least, most] = shareInterval(15, 50, 1.96);
    expect(least).to.be.closeTo(0.191, 0.001);
    expect(most).to.be.closeTo(0.4375, 0.001);
  });
  it('knows nothing of nothing, and of none and all what so many can tell', () => {
    expect(shareInterval(0, 0, 3)).to.deep.equal([0, 1]);
    const [none, all] = [shareInterval(0, 91, 3), shareInterval(91, 91, 3)];
    expect([none[0], all[1]]).to.deep.equal([0, 1]);
    expect(none[1]).to.be.closeTo(0.09, 1e-9);
    expect(all[0]).to.be.closeTo(1 - 0.09, 1e-9);
  });
  it('contains what was seen, lies between 0 and 1, and is narrower the more was seen', () => {
    const counts = fc.integer({ min: 1, max: 500 }).chain((of) => fc.tuple(fc.integer({ min: 0, max: of }), fc.constant(of)));
    fc.assert(
      fc.property(counts, ([count, of]) => {
        const [least, most] = shareInterval(count, of, 3);
        const [more, less] = shareInterval(count * 4, of * 4, 3);
        expect([0 <= least, least <= count / of, count / of <= most, most <= 1]).to.deep.equal([true, true, true, true]);
        expect(less - more).to.be.lessThan(most - least);
      }),
    );
  });
});
