import { expect } from 'chai';
import { nextRestart } from './restart-policy.ts';

describe('restart policy', () => {
  it('restarts at once, then after 10 s, 20 s and so on up to 5 min', () => {
    const delays: number[] = [];
    let restarts = 0;
    for (let i = 0; i < 8; i++) {
      const next = nextRestart(restarts, 1000);
      delays.push(next.delayMs);
      restarts = next.restarts;
    }
    expect(delays).to.deep.equal([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  it('forgets after ten minutes of running', () => {
    expect(nextRestart(7, 600_000)).to.deep.equal({ delayMs: 0, restarts: 1 });
    expect(nextRestart(7, 599_999).delayMs).to.equal(300_000);
  });
});
