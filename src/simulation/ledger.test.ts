import { expect } from 'chai';
import { Ledger } from './ledger.ts';

describe('ledger of what was acknowledged', () => {
  /** Three writes of epoch 1, at 1000, 1400 and 2000 ms. */
  function written(mode: 'sync' | 'async'): Ledger {
    const ledger = new Ledger(mode);
    for (const [i, atMs] of [1000, 1400, 2000].entries())
      ledger.acknowledge({ region: 'a', epoch: 1, index: i + 1, key: 'k', value: `v${i}`, atMs }, undefined);
    return ledger;
  }
  const log = (lastIndex: number) => ({ lastIndex, epochs: [[1, 1]] as const });

  it('lets nobody take over without an acknowledged write, where no loss was accepted', () => {
    expect(() => written('sync').takesOver('b', log(3), 0)).to.not.throw();
    expect(() => written('sync').takesOver('b', log(2), 0)).to.throw('nothing-acknowledged-is-lost: b takes over without v2 (1:3)');
    // By itself, as after a restart, also where replication is asynchronous.
    expect(() => written('async').takesOver('a', log(2), 0)).to.throw('nothing-acknowledged-is-lost');
  });
  it('lets writes be lost that were acknowledged within what was accepted, and misses them no second time', () => {
    expect(() => written('async').takesOver('b', log(1), 599)).to.throw(
      'loses-no-more-than-accepted: b takes over without 2 writes of 600 ms, 599 ms may be lost',
    );
    const ledger = written('async');
    ledger.takesOver('b', log(1), 600);
    expect(() => ledger.takesOver('c', log(1), 0)).to.not.throw();
    expect(() => ledger.takesOver('c', log(0), 0)).to.throw('nothing-acknowledged-is-lost: c takes over without v0 (1:1)');
  });
});
