import { expect } from 'chai';
import { longestMs } from './longest.ts';
import type { Step } from './scenario.ts';

describe('how long a run may look at its faults', () => {
  const method: readonly Step[] = [
    { do: 'inject', fault: 'f', manifest: 'm' },
    { do: 'await-recovery', atMostMs: 30_000 },
    { do: 'observe', forMs: 5000 },
    { do: 'heal', fault: 'f' },
  ];

  it('is at least what its steps and its beginning take', () => {
    expect(longestMs({ steadyMs: 1000, method })).to.be.at.least(1000 + 30_000 + 5000 + 60_000);
  });

  it('grows with each of them', () => {
    const of = (more: readonly Step[], steadyMs = 0): number => longestMs({ steadyMs, method: [...method, ...more] });
    expect(of([{ do: 'observe', forMs: 7000 }]) - of([])).to.equal(7000);
    expect(of([{ do: 'delete-all', atMostMs: 9000 }]) - of([])).to.equal(9000);
    expect(of([], 3000) - of([])).to.equal(3000);
    expect(of([{ do: 'inject', fault: 'g', manifest: 'm' }])).to.be.greaterThan(of([]));
  });
});
