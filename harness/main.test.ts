import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { failoverHistory, SCENARIO } from './testing/handmade.ts';

const MAIN = resolve(import.meta.dirname, 'main.js');

describe('gameday | head', function () {
  this.timeout(60_000);
  let reports: string;
  before(() => {
    reports = mkdtempSync(join(tmpdir(), 'head-'));
    for (const run of ['20261127T000000000Z-one', '20261127T000000001Z-two']) mkdirSync(join(reports, run));
  });
  after(() => rmSync(reports, { recursive: true }));

  it('ends without a word where nobody reads on', async () => {
    expect(await unread(['--help'])).to.deep.equal({ code: 0, err: '' });
  });

  it('does what it was told to its end, and its exit code says how that ended', async () => {
    expect(await unread(['digest', '--reports', reports])).to.deep.equal({ code: 3, err: '' });
    expect(readFileSync(join(reports, 'digest.md'), 'utf8')).to.match(/^# Game days: INCONCLUSIVE\n/);
  });
});

describe('gameday | a reader that takes its time', function () {
  this.timeout(60_000);

  it('gives it all that there is to say before it ends: half a JSON document is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slow-'));
    try {
      // More than a pipe holds.
      const scenario = { ...SCENARIO, question: 'Does it come back? '.repeat(10_000) };
      const record = failoverHistory({ scenario }).map((event) => `${JSON.stringify(event)}\n`);
      mkdirSync(join(folder, 'run'));
      writeFileSync(join(folder, 'run', 'events.ndjson'), record.join(''));
      const slowly = '"$0" "$@" | (sleep 2; cat)';
      const args = ['-c', slowly, process.execPath, MAIN, 'judge', '--json', join(folder, 'run')];
      const said = spawnSync('sh', args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
      expect(JSON.parse(said.stdout)).to.have.nested.property('verdict.outcome', 'pass');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What it says on stderr, and its exit code, where the reader of its stdout goes away at once. */
async function unread(args: readonly string[]): Promise<{ readonly code: unknown; readonly err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000 });
  child.stdout.destroy();
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, err };
}
