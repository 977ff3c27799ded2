import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyServiceConformance } from './conformance.ts';
import { createOfflineKeyFile, openOfflineKeyFile, openRecipient } from './offline-key.ts';

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: Error) => error.message,
  );

const RECIPIENT = 'x25519:07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c:6b33d783';
const WRAPPED =
  '5714769d116bf76436ae74bc793d2c30ad1903c59ac5273805c7e2698b410c3600000008000000000020000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fe79ec8ae65eff96fef971263e29b7aeefd68dc49f3c23fc79fc6d0c0cd4c3aff00000040000102030405060708090a0b6380456bb8325199faa5962b831b50b0ae9a88f3c0fdb740c400bb50ea84eeb0873a5d74f484d697f2dd36f0007cdbc4';

describe('offline key', () => {
  let folder: string;
  let path: string;
  let recipient: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
    path = join(folder, 'key');
    recipient = await createOfflineKeyFile(path);
    await createOfflineKeyFile(join(folder, 'other'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  keyServiceConformance(
    () => openOfflineKeyFile(path),
    () => openOfflineKeyFile(join(folder, 'other')),
  );

  it('opens what was wrapped to its recipient, which itself opens nothing', async () => {
    const aad = Buffer.from('place');
    const plain = Buffer.alloc(32, 5);
    const wrapped = await openRecipient(recipient).wrap(plain, aad);
    const service = await openOfflineKeyFile(path);
    expect(service.keyName).to.equal(recipient);
    expect(await service.unwrap(wrapped, aad)).to.deep.equal(plain);
    expect(await failureOf(openRecipient(recipient).unwrap(wrapped, aad))).to.match(/only wraps/);
  });

  it('opens what another implementation wrapped (Python, cryptography 48)', async () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, n) => n + 1)).toString('base64');
    await writeFile(join(folder, 'known'), `cdr1-offline-key ${key}\n`, { mode: 0o600 });
    const service = await openOfflineKeyFile(join(folder, 'known'));
    expect(service.keyName).to.equal(RECIPIENT);
    expect(await service.unwrap(Buffer.from(WRAPPED, 'hex'), Buffer.from('place'))).to.deep.equal(Buffer.alloc(32, 5));
  });

  it('refuses a recipient with a slip in it, and one that everybody can agree with', async () => {
    const mistyped = recipient.replace(/[0-9a-f](?=:[0-9a-f]{8}$)/, (digit) => (digit === '0' ? '1' : '0'));
    expect(() => openRecipient(mistyped)).to.throw(/mistyped/);
    expect(() => openRecipient('age1xyz')).to.throw(/no recipient/);
  });

  it('is refused where the file is another kind of key', async () => {
    const local = (await readFile(path, 'latin1')).replace('cdr1-offline-key', 'cdr1-local-key');
    await writeFile(path, local, { mode: 0o600 });
    expect(await failureOf(openOfflineKeyFile(path))).to.match(/no key file/);
  });
});
