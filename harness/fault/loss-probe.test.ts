import { expect } from 'chai';
import type { ExpectedEffect } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import type { Pod, Platform, RunContext } from '../platform/platform.ts';
import { lossProbe } from './loss-probe.ts';

const NEVER = new AbortController().signal;
const PODS = ['a', 'b', 'c', 'd'];
/** What b and a say to each other. */
const expected = (share: number): Extract<ExpectedEffect, { kind: 'links-lossy' }> => ({
  kind: 'links-lossy',
  share,
  pods: ['a', 'b'],
  lossy: [
    { from: 'a', to: 'b', families: [4, 6] },
    { from: 'b', to: 'a', families: [4, 6] },
  ],
});

/** A platform on which a datagram is due each so many ms, whatever is asked for; it has no links, and the time that is slept is told. */
async function before(
  share: number,
  lastsMs: number | null,
  periodMs: number,
): Promise<{ readonly why: string; readonly sleptMs: number }> {
  let sleptMs = 0;
  const platform = {
    pods: () => PODS.map((name) => ({ name }) as Pod),
    watchLinks: () => ({ periodMs, started: Promise.resolve(), stop: () => Promise.resolve([]) }),
    reachability: () => Promise.resolve([]),
  } as unknown as Platform;
  const context = { nowMs: () => 0, record: () => undefined } as unknown as RunContext;
  const clock = { sleep: (ms: number) => Promise.resolve(void (sleptMs += ms)) } as unknown as Clock;
  const probe = lossProbe('lossy', expected(share), { platform, context, clock, lastsMs, elsewhere: () => [], requestedMs: () => 0 });
  const why = await probe.before(NEVER).then(
    () => '',
    (error: unknown) => String(error),
  );
  await probe.close();
  return { why, sleptMs };
}

describe('a loss that is to be counted', () => {
  it('is refused before it is counted at all where its duration is shorter than that takes, with the time that is needed', async () => {
    const { why, sleptMs } = await before(0.3, 5000, 100);
    const needed = /lossy: (\d+) s are needed to count what is lost, and by its duration it has 5 s for that/.exec(why)?.[1];
    expect(Number(needed), why).to.be.greaterThan(5);
    expect(sleptMs).to.equal(0);
    // As long as was said is long enough, a second less is not.
    expect((await before(0.3, Number(needed) * 1000, 100)).why).to.equal('');
    expect((await before(0.3, (Number(needed) - 1) * 1000, 100)).why).to.contain('are needed');
  });

  it('is not where it lasts until it is healed; where that is too slow in any case, this is told', async () => {
    expect((await before(0.3, null, 100)).why).to.equal('');
    for (const lastsMs of [null, 3000]) expect((await before(0.3, lastsMs, 2000)).why).to.contain('takes longer than 40 s');
  });
});
