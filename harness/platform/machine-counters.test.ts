import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
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
      networkWaitsMs: [1.5, 0.5],
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
    expect(after?.networkWaitsMs?.length).to.equal(before?.networkWaitsMs?.length);
  });

  it("are the machine's own to a program that was handed its /proc, wherever that program is", async () => {
    const proc = openSync('/proc', constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const module = JSON.stringify(new URL('machine-counters.js', import.meta.url).href);
      const looks = `const { machineCounters } = await import(${module}); console.log(JSON.stringify(await (await machineCounters('/proc/self/fd/4'))()));`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', looks], {
        stdio: ['ignore', 'pipe', 'inherit', 'ignore', proc],
        encoding: 'utf8',
        timeout: 60_000,
      });
      const here = await (await machineCounters())();
      expect(JSON.parse(stdout)).to.have.all.keys(...Object.keys(here ?? {}));
    } finally {
      closeSync(proc);
    }
  }).timeout(120_000);

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
