import { expect } from 'chai';
import type { Fault } from './fault.ts';
import { shrink } from './shrink.ts';

const faults: readonly Fault[] = Array.from({ length: 9 }, (_, i) => ({ kind: 'pause', atMs: i, forMs: 1 }));
const at = (given: readonly Fault[]) => given.map(({ atMs }) => atMs);
const failsWith = (needed: readonly number[]) => (given: readonly Fault[]) =>
  Promise.resolve(needed.every((atMs) => given.some((fault) => fault.atMs === atMs)));

describe('shrinking', () => {
  it('leaves just what is needed to fail', async () => {
    expect(at(await shrink(faults, failsWith([2, 7]), 200))).to.deep.equal([2, 7]);
    expect(at(await shrink(faults, failsWith([]), 200))).to.deep.equal([]);
    expect(at(await shrink(faults, failsWith([0, 1, 2, 3, 4, 5, 6, 7, 8]), 200))).to.have.length(9);
  });

  it('ends with what it has when it may run no more', async () => {
    let runs = 0;
    const counted = (given: readonly Fault[]) => {
      runs++;
      return failsWith([2, 7])(given);
    };
    expect(at(await shrink(faults, counted, 3))).to.include.members([2, 7]);
    expect(runs).to.equal(3);
  });
});
