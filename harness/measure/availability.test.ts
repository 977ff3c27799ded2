import { expect } from 'chai';
import { lagSamples } from './availability.ts';
import type { RunView } from './view.ts';

describe('lag of the standbys, for the chart', () => {
  it('has no height where the engine says that it does not know it', () => {
    const said = (atMs: number, lagMs: number) => ({
      kind: 'engine-status',
      atMs,
      body: { standbys: { 'us-east1': { lagMs } } },
    });
    const events = [said(100, 5), said(200, Number.MAX_SAFE_INTEGER), said(1100, Number.MAX_SAFE_INTEGER), said(1200, 7)];
    expect(lagSamples({ events } as unknown as RunView)).to.deep.equal([
      { second: 0, region: 'us-east1', lagMs: 5 },
      { second: 1, region: 'us-east1', lagMs: 7 },
    ]);
  });
});
