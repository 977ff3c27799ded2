import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'chai';

const SCRIPTS = resolve(import.meta.dirname, '../../../../scripts');

describe('scripts', function () {
  this.timeout(60_000);
  for (const name of ['setup', 'test', 'bench', 'enable-dr.sh', 'kind', 'workflow'])
    it(`${name} --help says what it does and how it ends, and does nothing`, () => {
      const { status, stdout, stderr } = spawnSync(`${SCRIPTS}/${name}`, ['--help'], { encoding: 'utf8', timeout: 20_000 });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(stdout).to.contain(name).and.to.contain('Exit code');
    });
});
