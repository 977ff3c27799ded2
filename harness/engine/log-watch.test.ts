import { expect } from 'chai';
import { LogWatch } from './log-watch.ts';

describe('log watch', () => {
  it('tells who logs an action next, once, and only of the pods that are asked for', async () => {
    const logs = new LogWatch();
    const log = (pod: string, action: string): void => logs.onEvent({ kind: 'engine-log', atMs: 0, wall: '', pod, action, line: {} });
    log('early', 'sealed');
    const anyPod = (): boolean => true;
    const all = [logs.next('sealed', anyPod), logs.next('sealed', (pod) => pod === 'c'), logs.next('promoted', anyPod)];
    log('a', 'writable');
    log('b', 'sealed');
    log('c', 'sealed');
    log('d', 'promoted');
    expect(await Promise.all(all)).to.deep.equal(['b', 'c', 'd']);
  });
});
