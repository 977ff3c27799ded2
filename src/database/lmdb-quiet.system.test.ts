import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { EngineError } from '../platform/errors.ts';
import { openLmdbReader } from './lmdb-reader.ts';
import { openLmdb } from './lmdb.ts';

const PROGRAM = resolve(import.meta.dirname, '../testing/lmdb-opened-program.js');
/** Without the quiet moment about every third run lost a transaction or ended with SIGSEGV: it takes a stale number of the other parity. */
const RUNS = 6;

describe('LMDB: another process opens the file that is written', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lmdb-quiet-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('loses nothing that was durable, however long opening takes', function () {
    if (spawnSync('strace', ['-V']).status !== 0) return this.skip(); // no strace
    for (let run = 0; run < RUNS; run++) {
      const at = join(folder, String(run));
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'write', at], { encoding: 'utf8', timeout: 60_000 });
      expect({ status, signal }, stderr).to.deep.equal({ status: 0, signal: null });
      const { written, found, openerExit } = JSON.parse(stdout) as Record<'written' | 'found' | 'openerExit', number>;
      expect({ found, openerExit }).to.deep.equal({ found: written, openerExit: 0 });
    }
  });

  it('is not opened while the process that writes it stands still, and is when that is gone', async () => {
    const writer = spawn(process.execPath, [PROGRAM, 'hold', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(writer.stdout, 'data');
      await (await openLmdbReader(folder)).close(); // it answers, although nobody writes
      writer.kill('SIGSTOP');
      const refused = await openLmdbReader(folder).then(
        () => 'opened',
        (error: unknown) => error,
      );
      expect(refused).to.be.instanceOf(EngineError).with.property('message').that.includes('does not answer');
      expect(existsSync(join(folder, 'opening')), 'it does not go on asking').to.equal(false);
    } finally {
      writer.kill('SIGKILL');
      await once(writer, 'exit');
    }
    await (await openLmdbReader(folder)).close();
  });

  it('what an opener that died left behind holds nobody up', async () => {
    const database = openLmdb(folder);
    writeFileSync(join(folder, 'opening'), '999999999 1 left');
    await database.append([{ epoch: 1, index: 1, op: 'put', key: 'k', value: 'v' }]);
    expect(existsSync(join(folder, 'opening'))).to.equal(false);
    await database.close();
    expect(existsSync(join(folder, 'writer'))).to.equal(false);
  });

  it('nor does a token without a word in it, or what was to become one', async () => {
    writeFileSync(join(folder, 'opening-left'), '999999999 1 left');
    const database = openLmdb(folder);
    writeFileSync(join(folder, 'opening'), '');
    await (await openLmdbReader(folder)).close();
    expect(readdirSync(folder).filter((name) => name.startsWith('opening'))).to.deep.equal([]);
    await database.close();
  });
});
