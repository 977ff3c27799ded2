import { expect } from 'chai';
import type { KubeAnswer } from './kube-client.ts';
import { isAbsent, Refusals, untilServed } from './patience.ts';

/** A server that says these one after the other: a status, or nothing. */
function server(...says: readonly (number | 'away')[]): { ask: () => Promise<KubeAnswer>; asked: () => number } {
  let asked = 0;
  const ask = (): Promise<KubeAnswer> => {
    const word = says[Math.min(asked++, says.length - 1)] ?? 'away';
    const body = { details: { name: 'x' } };
    return word === 'away' ? Promise.reject(new Error('away')) : Promise.resolve({ status: word, body });
  };
  return { ask, asked: () => asked };
}
const limit = (ms = 30_000): AbortSignal => AbortSignal.timeout(ms);

describe('asking an API server that comes back', () => {
  it('asks again while it is away, not ready, busy, or has not read its roles yet', async () => {
    const { ask, asked } = server('away', 503, 403, 429, 200);
    expect((await untilServed(ask, limit())).status).to.equal(200);
    expect(asked()).to.equal(5);
  });

  it('takes what says something about what was asked, at once', async () => {
    for (const status of [200, 404, 409, 422]) {
      const { ask, asked } = server(status);
      expect((await untilServed(ask, limit())).status).to.equal(status);
      expect(asked()).to.equal(1);
    }
  });

  it('an object is absent only where the server says so of it: one that does not know the kind (yet) is asked again', async () => {
    const kindUnknown: KubeAnswer = { status: 404, body: { message: 'the server could not find the requested resource', details: {} } };
    const absent: KubeAnswer = { status: 404, body: { details: { name: 'x' } } };
    expect([isAbsent(absent, 'x'), isAbsent(absent, 'y'), isAbsent(kindUnknown, 'x')]).to.deep.equal([true, false, false]);
    const says = [kindUnknown, absent];
    expect(await untilServed(() => Promise.resolve(says.shift() ?? absent), limit())).to.equal(absent);
  });

  it('out of time it gives what was said last, or throws why nothing was', async () => {
    expect((await untilServed(server(403).ask, limit(250))).status).to.equal(403);
    const thrown = await untilServed(server('away').ask, limit(250)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(Error).with.property('message', 'away');
  });

  it('a refusal is meant only after five seconds in a row: a server that starts once more refuses anew', () => {
    let nowMs = 0;
    const refusals = new Refusals(() => nowMs);
    const says = (atMs: number, refused: boolean): boolean => {
      nowMs = atMs;
      return refusals.areMeant(refused);
    };
    expect([says(0, true), says(4000, true), says(4500, false), says(6000, true), says(10_500, true)]).to.deep.equal(Array(5).fill(false));
    expect(says(11_000, true)).to.equal(true);
  });
});
