import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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

describe('coditect-dr, asked twice to end', function () {
  this.timeout(60_000);

  /** Says when it hears what asks it to end. */
  const HEARS = `data:text/javascript,process.on('newListener',(name)=>name==='SIGINT'&&setImmediate(()=>process.stderr.write('hears')))`;

  // `timeout` and a terminal give a signal to the process and to its group, npm passes on what the group got.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`ends in order all the same where that is one wish: ${signal}`, async () => {
      const words = ['--import', HEARS, MAIN, 'simulate', '--seeds', '1000000', '--workers', '1', '--json'];
      const child = spawn(process.execPath, words, { stdio: 'pipe', timeout: 50_000, killSignal: 'SIGKILL' });
      const ended = once(child, 'close');
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      await once(child.stderr, 'data');
      child.kill(signal);
      // Two that wait would be one.
      while (isWaiting(child.pid!)) await sleep(1);
      child.kill(signal);
      const [code] = (await ended) as [unknown];
      expect({ code, said: out.slice(0, 9) }).to.deep.equal({ code: 130, said: '{"seeds":' });
    });
});

/** Whether some signal was not given to the process yet. */
function isWaiting(pid: number): boolean {
  return !/^ShdPnd:\s*0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
