import { expect } from 'chai';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Shipped } from '../log/shipper.ts';
import { runLogLoop } from './log-loop.ts';

/** The loop over these turns of a shipper, each of which takes 100 ms, on a clock that moves only by that and by its own sleeping. */
async function looped(
  ...turns: readonly (Shipped | Error)[]
): Promise<{ readonly there: readonly number[]; readonly slept: readonly number[] }> {
  const stop = new AbortController();
  const left = [...turns];
  const there: number[] = [];
  const slept: number[] = [];
  let nowMs = 0;
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wall: () => new Date(nowMs),
    sleep: (ms) => {
      slept.push(ms);
      nowMs += ms;
      if (left.length === 0) stop.abort();
      return Promise.resolve();
    },
  };
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing } as unknown as Log;
  const shipper = {
    tick: () => {
      nowMs += 100;
      const next = left.shift() ?? new Error('over');
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
  };
  await runLogLoop({ shipper, periodMs: 1000, state: { logIsThere: (atMs) => there.push(atMs) }, clock, log }, stop.signal);
  return { there, slept };
}

describe('shipping the log', () => {
  const head = { stream: 's', end: 1, endEpoch: 1, hash: Buffer.alloc(0) };
  const shipped = (more: boolean): Shipped => ({ kind: 'shipped', head, entries: 1, more });
  const idle: Shipped = { kind: 'idle', head };

  it('says that the log is there also of a system that always has something new, as of when it was read', async () => {
    expect((await looped(shipped(false), shipped(false), idle)).there).to.deep.equal([0, 1100, 2200]);
  });
  it('says how far what is captured elsewhere is there', async () => {
    const waiting = (behindMs: number | null): Shipped => ({ kind: 'waiting', behindMs, why: 'nobody serves' });
    expect(
      (await looped(waiting(null), waiting(500), { kind: 'shipped', head, entries: 1, more: true }, waiting(2500))).there,
    ).to.deep.equal([600, -200]);
  });
  it('says so of nothing that was only a part, or was not shipped', async () => {
    const { there } = await looped(shipped(true), { kind: 'overtaken' }, { kind: 'new-stream', head, why: 'x' }, new Error('no store'));
    expect(there).to.deep.equal([]);
  });
  it('ships on at once while there is more, and else waits', async () => {
    expect((await looped(shipped(true), shipped(true), shipped(false), idle)).slept).to.deep.equal([0, 0, 1000, 1000]);
    expect((await looped({ kind: 'overtaken' }, new Error('no store'))).slept).to.deep.equal([5000, 1000]);
  });
});
