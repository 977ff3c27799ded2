import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

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
