import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { openLmdb } from '../database/lmdb.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { EXIT } from './world.ts';

/** Told to end before it had begun: one line and the code for it, and everything is as it was. */
describe('a backup command that is interrupted at once', () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'interrupted-'));
    mkdirSync(join(folder, 'data'));
    const database = openLmdb(join(folder, 'data', 'db'));
    await database.append([{ epoch: 1, index: 1, op: 'put', key: 'k', value: 'v' }]);
    database.commit(1);
    await database.close();
    for (const words of [['init'], ['create', '--no-lease']])
      expect((await run(words, new AbortController().signal)).code).to.equal(EXIT.ok);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(
    words: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify(backupCommandConfig('x', 'data', {})));
    let out = '';
    let err = '';
    const world = {
      environment: {},
      signal,
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
    };
    const code = await runCli(['backup', ...words, '--config', config], world);
    return { code, out, err };
  }

  const everything = (): readonly string[] => readdirSync(folder, { recursive: true }).map(String).toSorted();

  for (const words of [
    'init',
    'create --no-lease',
    'list',
    'show latest',
    'verify latest',
    'restore latest --into us-east1',
    'drill latest',
    'prune --confirm --no-lease',
    'rewrap --new-epoch',
    'hold latest',
  ])
    it(`says so: ${words}`, async () => {
      const before = everything();
      const { code, out, err } = await run(words.split(' '), AbortSignal.abort(new Error('SIGTERM')));
      expect({ code, out }).to.deep.equal({ code: EXIT.interrupted, out: '' });
      expect(err).to.match(/^interrupted.*\n$/);
      expect(err).not.to.match(/\n.*\n| {4}at /);
      expect(everything()).to.deep.equal(before);
    });
});
