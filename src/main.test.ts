import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, 'main.js');

describe('coditect-dr | head', function () {
  this.timeout(60_000);

  for (const words of ['--help', 'policy --json'])
    it(`ends without a word where nobody reads on: ${words}`, async () => {
      const child = spawn(process.execPath, [MAIN, ...words.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000 });
      child.stdout.destroy();
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
      const [code] = (await once(child, 'close')) as [unknown];
      expect({ code, err }).to.deep.equal({ code: 0, err: '' });
    });
});

describe('coditect-dr | a reader that takes its time', function () {
  this.timeout(60_000);

  it('gives it all that there is to say before it ends', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slow-'));
    try {
      // More problems than a pipe holds, and a reader that is longer away than the program lingers.
      const config = join(folder, 'config.yaml');
      writeFileSync(config, Array.from({ length: 2000 }, (_, n) => `unknown_${n}: 1\n`).join(''));
      const args = ['-c', '"$0" "$@" 2>&1 | (sleep 3; cat)', process.execPath, MAIN, 'status', '--config', config];
      const { stdout } = spawnSync('sh', args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
      expect(stdout.match(/no such setting/g)).to.have.lengthOf(2000);
      expect(stdout.endsWith('\n')).to.equal(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
