import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { EngineError } from '../platform/errors.ts';
import { faultsOf } from '../simulation/fault-plan.ts';
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

  it('refuses to keep faults that a seed does not have, instead of trying nothing', async () => {
    const world = { environment: {}, signal: new AbortController().signal, out: () => expect.fail('ran'), err: () => undefined };
    const asked = { seeds: 2, firstSeed: 1, workers: 1, trace: false, json: false };
    const [first, second] = [faultsOf(1).length, faultsOf(2).length];
    const least = Math.min(first, second);
    const refused = (keep: readonly number[]): Promise<string> =>
      runSimulation({ ...asked, keep }, world).then(
        () => 'ran',
        (error: unknown) => (error instanceof EngineError ? `${error.code}: ${error.message}` : 'another error'),
      );
    const seed = first === least ? 1 : 2;
    expect(await refused([0, least, 99])).to.equal(
      `bad-request: --keep ${least},99: seed ${seed} has ${least} faults, which are 0 to ${least - 1}`,
    );
  });

  it('refuses what --wrong-machines would pass over', async () => {
    let said = '';
    const world = {
      environment: {},
      signal: new AbortController().signal,
      out: () => expect.fail('ran'),
      err: (text: string) => void (said += text),
    };
    expect(await runCli(['simulate', '--wrong-machines', '--keep', '0'], world)).to.equal(EXIT.badInput);
    expect(said).to.match(/--wrong-machines' cannot be used with option '--keep/);
  });
});
