import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

describe('./scripts/bench', function () {
  this.timeout(120_000);
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bench-options-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const cases: readonly string[] = [
    'nosuch',
    'recovery --repeat 0',
    'recovery --scenario nosuch.yaml',
    'failover --scenarios nosuch',
    'soak --spinners ',
    'simulate --seeds 1.5',
    'null 5',
    // It threw away what earlier calls had kept, played nothing, and published that.
    'foundationdb --two-regions --scenarios region-loss,foundationdb-pair-loss',
    'foundationdb --embedded --two-regions',
  ];
  for (const asked of cases)
    it(`refuses bad options with exit code 2 before anything is done: ${asked}`, () => {
      const args = [join(import.meta.dirname, 'main.js'), ...asked.split(' ')];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
      expect({ status, stdout }, stderr).to.deep.equal({ status: 2, stdout: '' });
      expect(stderr).to.match(/^error: /);
      expect(readdirSync(folder)).to.deep.equal([]);
    });

  it('ends with 2 too where a game day refuses what it was given', () => {
    const args = [join(import.meta.dirname, 'main.js'), 'recovery', '--scenario', import.meta.filename];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    expect(status, stderr).to.equal(2);
    expect(stderr)
      .to.contain(`${import.meta.filename}:`)
      .and.to.contain('was refused, see above');
  });
});
