import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { SharedLook } from './look.ts';

const LONG_MS = 60_000;

describe('one look at FoundationDB for everybody who asks', () => {
  /** Looks that are answered by the test. */
  function looking() {
    const asked: PromiseWithResolvers<string | null>[] = [];
    const looks = new SharedLook<string>(() => {
      const next = Promise.withResolvers<string | null>();
      asked.push(next);
      return next.promise;
    }, systemClock);
    return { asked, looks };
  }

  it('an answer that takes longer than a probe waits is heard by the next probe, and no second look is begun for it', async () => {
    const { asked, looks } = looking();
    expect(await looks.within(1)).to.equal(null);
    const next = looks.within(LONG_MS);
    expect(asked).to.have.length(1);
    asked[0]?.resolve('serves');
    expect(await next).to.equal('serves');
  });

  it('is begun anew when the last one is over, whether it brought something or not', async () => {
    const { asked, looks } = looking();
    for (const answer of ['first', null, 'third']) {
      const [one, other] = [looks.within(LONG_MS), looks.within(LONG_MS)];
      asked.at(-1)?.resolve(answer);
      expect(await one).to.equal(answer);
      expect(await other).to.equal(answer);
    }
    expect(asked).to.have.length(3);
  });
});
