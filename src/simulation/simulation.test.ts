import { expect } from 'chai';
import { simulate } from './pool.ts';

describe('simulator', function () {
  this.timeout(60_000);

  it('finds no broken promise in a few dozen worlds, in which failovers do happen', async () => {
    const { failures, failovers, acknowledgedWrites } = await simulate({ firstSeed: 1, seeds: 60 });
    expect(failures).to.deep.equal([]);
    expect(failovers).to.be.greaterThan(20);
    expect(acknowledgedWrites).to.be.greaterThan(3000);
  });

  it('runs a seed the same way in every thread', async () => {
    const run = (workers: number) => simulate({ firstSeed: 100, seeds: 17, workers, trace: true });
    const [once, again] = [await run(1), await run(2)];
    expect(once.trace.length).to.be.greaterThan(100);
    expect(again.trace.toSorted()).to.deep.equal(once.trace.toSorted());
  });
});
