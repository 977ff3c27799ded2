import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { open } from 'lmdb';
import { openLmdbReader } from './lmdb-reader.ts';
import { openRestoreTarget } from './lmdb-restore.ts';
import { openLmdb } from './lmdb.ts';

describe('LMDB: who is refused leaves nothing open', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lmdb-refused-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What this process has open of the environment. */
  const held = (): readonly string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`);
        return path.startsWith(folder) ? [path] : [];
      } catch {
        return []; // the descriptor of this very listing
      }
    });
  const untilClosed = async (): Promise<readonly string[]> => {
    for (let looks = 0; held().length > 0 && looks < 2000; looks++) await new Promise((resolve) => setTimeout(resolve, 5));
    return held();
  };
  const refusal = async (work: () => unknown): Promise<string> => {
    try {
      await work();
      return 'opened';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  /** An environment whose `meta` is none of ours. */
  const spoil = async (): Promise<void> => {
    const database = openLmdb(folder);
    await database.append([{ epoch: 1, index: 1, op: 'put', key: 'k', value: 'v' }]);
    await database.close();
    const root = open({ path: folder, noSubdir: false, maxDbs: 8, encoding: 'binary', keyEncoding: 'binary' });
    await root.openDB({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' }).put(Buffer.from('meta'), Buffer.from('nonsense'));
    await root.close();
    expect(held()).to.deep.equal([]);
  };

  it('a database whose state does not read', async () => {
    await spoil();
    expect(await refusal(() => openLmdb(folder))).to.equal('database-broken');
    expect(await untilClosed()).to.deep.equal([]);
  });

  it('a restore, into what does not read or is not empty', async () => {
    await spoil();
    expect(await refusal(() => openRestoreTarget(folder))).to.not.equal('opened');
    expect(await untilClosed()).to.deep.equal([]);
    rmSync(folder, { recursive: true });
    const database = openLmdb(folder);
    await database.append([{ epoch: 1, index: 1, op: 'put', key: 'k', value: 'v' }]);
    await database.close();
    expect(await refusal(() => openRestoreTarget(folder))).to.equal('bad-request');
    expect(await untilClosed()).to.deep.equal([]);
  });

  it('a reader of an environment of somebody else', async () => {
    const root = open({ path: folder, noSubdir: false, maxDbs: 8 });
    await root.put('k', 'v');
    await root.close();
    expect(await refusal(() => openLmdbReader(folder))).to.equal('bad-request');
    expect(held()).to.deep.equal([]);
  });
});
