import { expect } from 'chai';
import fc from 'fast-check';
import { commonPoint, endOf, epochAt, isLonger, truncated, withEntry, type EpochTable } from './epochs.ts';

/** The table of a log given as the epochs of its entries. */
function tableOf(epochs: readonly number[]): EpochTable {
  return epochs.reduce<EpochTable>((table, epoch, i) => withEntry(table, epoch, i + 1), []);
}

/** Two logs of one history: a shared beginning, then each goes on under epochs that only it has (odd, even), as no epoch has two writers. */
const twoLogs = fc
  .tuple(fc.array(fc.nat(2), { maxLength: 6 }), fc.array(fc.nat(2), { maxLength: 6 }), fc.array(fc.nat(2), { maxLength: 6 }))
  .map(([common, a, b]) => {
    const rising = (steps: readonly number[], from: number, by: number): number[] => {
      let epoch = from;
      return steps.map((step) => (epoch += step * by));
    };
    const shared = rising(common, 1, 1);
    const last = shared.at(-1) ?? 1;
    const next = last + 1;
    return {
      shared: shared.length,
      a: [...shared, ...rising(a, next + (next % 2), 2)],
      b: [...shared, ...rising(b, next + 1 - (next % 2), 2)],
    };
  });

describe('epoch table', () => {
  it('tells the epoch of every entry, 0 before the first, null beyond the end', () => {
    const table = tableOf([1, 1, 4, 4, 5]);
    expect([0, 1, 2, 3, 4, 5, 6].map((index) => epochAt(table, 5, index))).to.deep.equal([0, 1, 1, 4, 4, 5, null]);
    expect(endOf(table, 5)).to.deep.equal({ epoch: 5, index: 5 });
    expect(endOf(truncated(table, 2), 2)).to.deep.equal({ epoch: 1, index: 2 });
  });

  it('finds where two logs part, whichever is asked', () => {
    fc.assert(
      fc.property(twoLogs, ({ shared, a, b }) => {
        const found = commonPoint(tableOf(a), a.length, tableOf(b), b.length);
        expect(found).to.equal(shared);
        expect(commonPoint(tableOf(b), b.length, tableOf(a), a.length)).to.equal(found);
      }),
    );
  });

  it('takes the shorter one whole where it is the beginning of the other', () => {
    const long = [1, 1, 2, 3, 3];
    for (let length = 0; length <= long.length; length++) {
      const short = long.slice(0, length);
      expect(commonPoint(tableOf(long), long.length, tableOf(short), length)).to.equal(length);
    }
  });

  it('prefers the higher epoch, then the higher index', () => {
    expect(isLonger({ epoch: 2, index: 1 }, { epoch: 1, index: 9 })).to.equal(true);
    expect(isLonger({ epoch: 1, index: 9 }, { epoch: 1, index: 8 })).to.equal(true);
    expect(isLonger({ epoch: 1, index: 9 }, { epoch: 1, index: 9 })).to.equal(false);
  });
});
