import { expect } from 'chai';
import { EventQueue } from './event-queue.ts';
import { Random } from './random.ts';

describe('the queue of what is to happen', () => {
  it('gives the earliest first, and of the same time what was asked for first, however adding and taking alternate', () => {
    const random = new Random(7, 'queue');
    const queue = new EventQueue<{ readonly atMs: number; readonly number: number }>();
    const waiting: { readonly atMs: number; readonly number: number }[] = [];
    let nowMs = 0;
    let number = 0;
    for (let step = 0; step < 20_000; step++) {
      if (random.chance(step < 10_000 ? 0.6 : 0.45)) {
        // Many at the same time.
        const item = { atMs: nowMs + random.whole(0, 30), number: number++ };
        waiting.push(item);
        queue.add(item.atMs, item);
      } else {
        // By number already: the first of the earliest.
        const earliestMs = waiting.reduce((least, { atMs }) => Math.min(least, atMs), Infinity);
        const expected = waiting.find(({ atMs }) => atMs === earliestMs);
        const taken = queue.take();
        if (taken !== expected) expect.fail(`step ${step}: ${JSON.stringify(taken)} instead of ${JSON.stringify(expected)}`);
        if (expected === undefined) continue;
        waiting.splice(waiting.indexOf(expected), 1);
        nowMs = expected.atMs;
        expect(queue.takenAtMs).to.equal(nowMs);
      }
    }
    expect(number).to.be.greaterThan(5000);
  });

  it('is empty when everything has been taken', () => {
    const queue = new EventQueue<string>();
    expect(queue.take()).to.equal(undefined);
    queue.add(3, 'later');
    queue.add(1, 'sooner');
    expect([queue.take(), queue.take(), queue.take()]).to.deep.equal(['sooner', 'later', undefined]);
  });
});
