import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import type { Platform, Pod, RunContext } from '../platform/platform.ts';
import { EffectProbes } from './effect-probe.ts';

const NEVER = new AbortController().signal;

describe('the watch over cut links', () => {
  it('ends when the next has begun: what came back in between would be seen by nobody', async () => {
    const done: string[] = [];
    let watches = 0;
    const platform = {
      pods: () => ['a', 'b'].map((name) => ({ name }) as Pod),
      reachability: () => Promise.resolve([]),
      watchLinks: () => {
        const number = ++watches;
        const started = Promise.resolve().then(() => void done.push(`${number} begins`));
        return { periodMs: 1, started, stop: () => Promise.resolve([]).finally(() => done.push(`${number} ends`)) };
      },
    } as unknown as Platform;
    const context = { nowMs: () => 0, record: () => undefined } as unknown as RunContext;
    const probe = new EffectProbes({ platform, context, clock: {} as Clock }).open('cut', {
      sources: [],
      targets: [],
      primitives: [],
      expectedEffect: { kind: 'links-cut', pods: ['a', 'b'], cut: [{ from: 'a', to: 'b', families: [4, 6] }], unobservable: [] },
      notes: [],
    });
    await probe.before(NEVER);
    await probe.during(NEVER);
    await probe.afterHeal(NEVER);
    await probe.close();
    expect(done).to.deep.equal(['1 begins', '2 begins', '1 ends', '2 ends']);
  });
});
