import { expect } from 'chai';
import { takeTurn } from './turn.ts';

describe('turn', () => {
  it('lets one in at a time, and the next when the first is done', async () => {
    const name = `\0coditect-dr-turn-test-${process.pid}`;
    const order: string[] = [];
    const done = await takeTurn(() => order.push('first waits'), name);
    const waiting = Promise.withResolvers<void>();
    const second = takeTurn(() => (order.push('second waits'), waiting.resolve()), name).then(
      (leave) => (order.push('second in'), leave()),
    );
    await waiting.promise;
    order.push('first done');
    await done();
    await second;
    expect(order).to.deep.equal(['second waits', 'first done', 'second in']);
  });
});
