import { expect } from 'chai';
import type { PodProcess } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import { LastThere } from './last-there.ts';

const running = (pid: number, startedTicks = 1): PodProcess => ({ pod: 'a', pid, startedTicks, command: 'node', state: 'S' });

/** Looks that see these one after the other, the last of them again and again; a look takes 3 ms, a pause 20. */
function looks(...seen: readonly (readonly PodProcess[] | 'fails')[]) {
  let nowMs = 100;
  let looked = 0;
  const clock = { nowMs: () => nowMs, sleep: (ms: number) => ((nowMs += ms), Promise.resolve()) } as Clock;
  const look = (): Promise<readonly PodProcess[]> => {
    nowMs += 3;
    const now = seen[Math.min(looked++, seen.length - 1)] ?? 'fails';
    return now === 'fails' ? Promise.reject(new Error('no such namespace')) : Promise.resolve(now);
  };
  return { clock, look, looked: () => looked };
}
async function after(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}

describe('when processes were last there', () => {
  const had = [running(1), running(2)];

  it('is when the last look began that saw all of them; the first that misses one is the last', async () => {
    const { clock, look, looked } = looks(had, had, [running(1)], had);
    const there = new LastThere(had, look, clock);
    await after(100);
    expect([there.sawMs, looked()]).to.deep.equal([123, 3]);
    await there.stop();
  });
  it('is not known where nobody looked and only the end has not been told: that may be long past', async () => {
    const untold = had.map((one) => ({ ...one, state: '?' }));
    const { clock, look, looked } = looks(untold);
    const there = new LastThere(untold, look, clock);
    await after(100);
    expect([there.sawMs, looked()]).to.deep.equal([undefined, 1]);
    await there.stop();
  });
  it('a process id that is used again is another process', async () => {
    const { clock, look } = looks(had, [running(1), running(2, 9)]);
    const there = new LastThere(had, look, clock);
    await after(100);
    expect(there.sawMs).to.equal(100);
    await there.stop();
  });
  it('one that ends already is there no more: it serves nobody', async () => {
    const { clock, look, looked } = looks(had, [running(1), { ...running(2), state: 'X' }]);
    const there = new LastThere(had, look, clock);
    await after(100);
    expect([there.sawMs, looked()]).to.deep.equal([100, 2]);
    await there.stop();
  });
  it('a look that fails has seen nothing, and ends it', async () => {
    const { clock, look, looked } = looks('fails');
    const there = new LastThere(had, look, clock);
    await there.stop();
    expect([there.sawMs, looked()]).to.deep.equal([undefined, 1]);
  });
});
