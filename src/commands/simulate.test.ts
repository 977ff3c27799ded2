import { expect } from 'chai';
import { runSimulation } from './simulate.ts';
import { EXIT } from './world.ts';

describe('the simulate command', () => {
  it('is no success when it was ended before every seed had run', async () => {
    const said: string[] = [];
    const world = {
      environment: {},
      signal: AbortSignal.abort(new Error('ended')),
      out: (text: string) => void said.push(text),
      err: () => undefined,
    };
    const options = { seeds: 8, firstSeed: 1, workers: 1, keep: null, trace: false, json: false };
    expect(await runSimulation(options, world)).to.equal(EXIT.interrupted);
    expect(said.join('')).to.contain('0 of 8 seeds in');
    said.length = 0;
    expect(await runSimulation({ ...options, json: true }, world)).to.equal(EXIT.interrupted);
    expect(JSON.parse(said.join(''))).to.deep.include({ seeds: 0, asked: 8 });
  });
});
