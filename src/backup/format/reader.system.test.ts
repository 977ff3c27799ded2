import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalKeyFile, openLocalKeyFile } from '../../keys/local-key-file.ts';
import { openFolderStore } from '../../objectstore/folder-store.ts';
import { newEpochKey } from './epoch-keys.ts';
import { PYTHON, withoutPython } from '../../testing/python.ts';
import type { KeyValue } from './records.ts';
import { writeTinyBackup } from './testing/tiny-backup.ts';

const READER = join(process.cwd(), 'src/backup/format/testing/reader.py');
describe(`backup format, read by a Python program${withoutPython}`, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reader-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('gives back every record; refuses another key and changed objects', async function () {
    if (withoutPython !== '') return this.skip();
    const bytes = (text: string): Buffer => Buffer.from(text);
    const records = (from: number, to: number): KeyValue[] =>
      Array.from({ length: to - from }, (_, n) => ({
        key: bytes(`key ${String(from + n).padStart(4, '0')}`),
        value: bytes(`value ${n} `.repeat(n % 50)),
      }));
    const large = { key: bytes('x'), value: randomBytes(1_200_000) }; // more than two segments, and does not compress
    const files = [
      { range: { begin: bytes(''), end: bytes('key 0300') }, records: records(0, 300) },
      { range: { begin: bytes('key 0300'), end: bytes('k~') }, records: records(300, 500) },
      { range: { begin: bytes('k~'), end: bytes('l') }, records: [] },
      { range: { begin: bytes('l'), end: null }, records: [large] },
    ];
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await createLocalKeyFile(join(folder, 'key'));
    await createLocalKeyFile(join(folder, 'wrong'));
    const root = join(folder, 'repository');
    const service = await openLocalKeyFile(join(folder, 'key'));
    const backup = {
      repo: '0f8fad5b-d9cb-469f-a165-70867728950e',
      epoch: 3n,
      epochKey: newEpochKey(),
      signingKey: privateKey,
      service,
      files,
    };
    const manifest = await writeTinyBackup(await openFolderStore(root, Date.now()), backup);

    const publicHex = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('hex');
    const read = (key: string): ReturnType<typeof spawnSync> =>
      spawnSync(PYTHON, [READER, root, manifest, join(folder, key), publicHex], { encoding: 'utf8', maxBuffer: 1e8 });
    const result = read('key');
    expect(result.stderr).to.equal('');
    const expected = files.flatMap((file) =>
      file.records.map(({ key, value }) => [Buffer.from(key).toString('hex'), Buffer.from(value).toString('hex')]),
    );
    expect(JSON.parse(String(result.stdout))).to.deep.equal(Object.fromEntries(expected));

    expect(read('wrong')).to.have.property('status', 1);
    const stored = await readFile(join(root, manifest));
    stored[stored.length - 1] = stored.at(-1)! ^ 1;
    await writeFile(join(root, manifest), stored);
    expect(read('key')).to.have.property('status', 1);
  });
});
