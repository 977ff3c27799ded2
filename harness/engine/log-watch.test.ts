import { expect } from 'chai';
import { LogWatch } from './log-watch.ts';

describe('log watch', () => {
  it('tells who logs an action next, once, and to all who wait for it', async () => {
    const logs = new LogWatch();
    const log = (pod: string, action: string): void => logs.onEvent({ kind: 'engine-log', atMs: 0, wall: '', pod, action, line: {} });
    log('early', 'sealed');
    const both = Promise.all([logs.next('sealed'), logs.next('sealed'), logs.next('promoted')]);
    log('a', 'writable');
    log('b', 'sealed');
    log('c', 'sealed');
    log('d', 'promoted');
    expect(await both).to.deep.equal(['b', 'b', 'd']);
  });
});
