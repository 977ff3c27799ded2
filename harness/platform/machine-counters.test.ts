import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { machineCounters, parseCounters } from './machine-counters.ts';

const STAT = 'cpu  100 10 40 800 20 1 9 20 7 0\ncpu0 50 5 20 400 10 0 4 10 3 0\nintr 12345\n';
const PRESSURE = 'some avg10=88.68 avg60=85.74 avg300=66.39 total=32197500\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';

describe('counters of the machine', () => {
  it('are times in milliseconds, with the guests counted once', () => {
    expect(parseCounters({ stat: STAT, pressure: PRESSURE, waits: ['21803 1500000 774\n', '20919 500000 755\n'] })).to.deep.equal({
      kind: 'machine',
      processorsMs: 10_000,
      idleMs: 8200,
      stolenMs: 200,
      waitedMs: 32_197.5,
      networkWaitMs: 2,
    });
  });

  it('leave out what the kernel does not tell or a container hides, and never make it 0', () => {
    const counted = parseCounters({ stat: STAT, pressure: null, waits: [] });
    expect(counted).to.have.all.keys('kind', 'processorsMs', 'idleMs', 'stolenMs');
    expect(parseCounters({ stat: STAT, pressure: 'nonsense', waits: ['1 2 3\n', null] })).to.deep.equal(counted);
    expect(parseCounters({ stat: 'cpu  1 2\n', pressure: PRESSURE, waits: [] })).to.equal(null);
    expect(parseCounters({ stat: null, pressure: null, waits: [] })).to.equal(null);
  });

  it('of this very machine rise', async () => {
    const counters = await machineCounters();
    const [before, after] = [await counters(), await counters()];
    expect(before?.processorsMs).to.be.above(0);
    expect(after?.processorsMs).to.be.at.least(before?.processorsMs ?? Number.NaN);
    expect(after?.networkWaitMs ?? 0).to.be.at.least(before?.networkWaitMs ?? 0);
  });

  it('are none where there is no /proc', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'no-proc-'));
    try {
      const none = [await (await machineCounters(empty))(), await (await machineCounters(join(empty, 'missing')))()];
      expect(none).to.deep.equal([null, null]);
    } finally {
      await rm(empty, { recursive: true });
    }
  });
});
