import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EngineError } from '../platform/errors.ts';
import { WITH_PARENT } from '../testing/with-parent.ts';
import { lockFolder } from './folder-lock.ts';

/** Locks the folder in argv[2], says what came of it, and keeps it until it is killed. */
const PROGRAM = `
const { lockFolder } = await import(new URL('./folder-lock.js', process.argv[1]));
await lockFolder(process.argv[2]).then(() => console.log('locked'), (error) => console.log(error.code));
setInterval(() => undefined, 1000);
`;
const PROCESS = ['--input-type=module', '-e', PROGRAM, import.meta.url];
const OTHER_NETWORK = spawnSync('unshare', ['--net', 'true']).status === 0 ? ['unshare', '--net'] : null;

describe('the lock of a data folder', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    // Longer than the path of a socket may be.
    folder = join(mkdtempSync(join(tmpdir(), 'lock-')), 'long'.repeat(40));
    mkdirSync(folder);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  async function another(before: readonly string[] = []): Promise<string> {
    const [program, ...args] = ['setpriv', ...WITH_PARENT, ...before, process.execPath, ...PROCESS, folder];
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    return said.toString().trim();
  }

  it('is one process’s at a time, and free when that one ends, however it ends', async () => {
    expect(await another()).to.equal('locked');
    const refused = await lockFolder(folder).catch((error: EngineError) => error.code);
    expect(refused).to.equal('bad-config');
    const [holder] = children;
    holder!.kill('SIGKILL');
    await once(holder!, 'exit');
    const lock = await lockFolder(folder);
    expect(await another()).to.equal('bad-config');
    await lock.release();
    expect(readdirSync(join(folder, 'lock'))).to.deep.equal([]);
    expect(await another()).to.equal('locked');
  }).timeout(60_000);

  it('holds from one network namespace to another, as between two pods on one volume', async function () {
    if (OTHER_NETWORK === null) return this.skip();
    const lock = await lockFolder(folder);
    expect(await another(OTHER_NETWORK)).to.equal('bad-config');
    await lock.release();
    expect(await another(OTHER_NETWORK)).to.equal('locked');
    expect(await another()).to.equal('bad-config');
  }).timeout(60_000);
});
