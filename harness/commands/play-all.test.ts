import { expect } from 'chai';
import { HarnessError } from '../platform/errors.ts';
import { playAll } from './play-all.ts';
import { exitCode } from './run.ts';

describe('scenarios one after the other', () => {
  const BROKEN = new HarnessError('lab-failed', 'the run broke off');
  const played: string[] = [];
  beforeEach(() => void played.splice(0));
  const play =
    (ends: Readonly<Record<string, Error | 'interrupted'>> = {}) =>
    async (scenario: string, repetition: number | null): Promise<{ readonly interrupted: boolean }> => {
      const name = `${scenario}${repetition ?? ''}`;
      played.push(name);
      const end = ends[name];
      if (end instanceof Error) throw end;
      return await Promise.resolve({ interrupted: end === 'interrupted' });
    };

  it('are each played so often', async () => {
    expect(await playAll(['a', 'b'], 2, play())).to.include({ brokenOff: null, missing: 0 });
    expect(played).to.deep.equal(['a1', 'a2', 'b1', 'b2']);
    await playAll(['c'], 1, play());
    expect(played.at(-1)).to.equal('c');
  });

  it('end with one that is interrupted, which counts', async () => {
    const all = await playAll(['a', 'b'], 2, play({ a2: 'interrupted' }));
    expect(all).to.include({ brokenOff: null, missing: 2 });
    expect(all.runs).to.have.lengthOf(2);
  });

  it('end with one that breaks off, and what those before it have shown stands', async () => {
    const all = await playAll(['a', 'b', 'c'], 1, play({ b: BROKEN }));
    expect(all).to.include({ brokenOff: BROKEN, missing: 2 });
    expect(all.runs).to.have.lengthOf(1);
  });

  it('tell nothing where the first breaks off, nor of a bug', async () => {
    for (const error of [BROKEN, new TypeError('a bug')])
      expect(await playAll(['a'], 1, play({ a: error })).catch((thrown: unknown) => thrown)).to.equal(error);
    expect(await playAll(['a', 'b'], 1, play({ b: new TypeError('a bug') })).catch((thrown: unknown) => thrown)).to.be.instanceOf(
      TypeError,
    );
  });

  it('are a failure where one failed before another broke off, and never a pass', () => {
    expect(exitCode(['fail', 'inconclusive'])).to.equal(1);
    expect(exitCode(['pass', 'inconclusive'])).to.equal(3);
  });
});
