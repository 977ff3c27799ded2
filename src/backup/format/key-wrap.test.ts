import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyService } from '../../keys/key-service.ts';
import { createLocalKeyFile, openLocalKeyFile } from '../../keys/local-key-file.ts';
import { EngineError, type EngineErrorCode } from '../../platform/errors.ts';
import { encodeCanonical, type CanonicalObject } from './canonical-json.ts';
import { deriveEpochKeys, newEpochKey } from './epoch-keys.ts';
import { decodeKeyWrap, unwrapEpochKey, wrapEpochKey, type KeyWrap } from './key-wrap.ts';

describe('wrapped epoch key', () => {
  const identity = { repo: '0f8fad5b-d9cb-469f-a165-70867728950e', epoch: 7n };
  const epochKey = newEpochKey();
  let folder: string;
  let service: KeyService;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wrap-'));
    for (const name of ['a', 'b']) await createLocalKeyFile(join(folder, name));
    service = await openLocalKeyFile(join(folder, 'a'));
  });
  after(() => rm(folder, { recursive: true }));

  async function wrapped(): Promise<KeyWrap> {
    const { name, bytes } = await wrapEpochKey(epochKey, identity, service, new Date(0));
    return decodeKeyWrap(name, bytes);
  }

  async function expectRefused(wrap: KeyWrap, code: EngineErrorCode, by: KeyService = service): Promise<void> {
    const outcome: unknown = await unwrapEpochKey(wrap, by).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(EngineError).with.property('code', code);
  }

  it('comes back, and is named after the key and the wrap', async () => {
    const { name, bytes } = await wrapEpochKey(epochKey, identity, service, new Date(0));
    expect(name).to.match(new RegExp(`^keys/${deriveEpochKeys(epochKey).kid}/[0-9a-f]{32}\\.json$`));
    expect(name).not.to.equal((await wrapEpochKey(epochKey, identity, service, new Date(0))).name);
    expect((await unwrapEpochKey(decodeKeyWrap(name, bytes), service)).equals(epochKey)).to.equal(true);
  });

  it('opens neither for another repository or epoch, nor with another service key, nor as another key', async () => {
    const wrap = await wrapped();
    await expectRefused({ ...wrap, repo: '1f8fad5b-d9cb-469f-a165-70867728950e' }, 'key-service-failed');
    await expectRefused({ ...wrap, epoch: '8' }, 'key-service-failed');
    await expectRefused({ ...wrap, kid: '0'.repeat(32) }, 'key-service-failed');
    await expectRefused(wrap, 'key-service-failed', await openLocalKeyFile(join(folder, 'b')));
    const aad = Buffer.from(`cdr1|${wrap.repo}|${wrap.kid}|${wrap.epoch}`);
    await expectRefused({ ...wrap, wrapped: (await service.wrap(newEpochKey(), aad)).toString('base64') }, 'backup-damaged');
    await expectRefused({ ...wrap, wrapped: (await service.wrap(Buffer.alloc(31), aad)).toString('base64') }, 'backup-damaged');
  });

  it('is decoded only in its shape; a newer format is refused as such', async () => {
    const document = (await wrapped()) as CanonicalObject;
    for (const wrong of [{ kid: 'x' }, { wrapped: '?' }, { epoch: '-1' }, { service: 'vault' }, { format: 0 }]) {
      expect(() => decodeKeyWrap('k', encodeCanonical({ ...document, ...wrong })))
        .to.throw(EngineError)
        .with.property('code', 'backup-damaged');
    }
    expect(() => decodeKeyWrap('keys/k', encodeCanonical({ ...document, epoch: 7 }))).to.throw(/^keys\/k refused: epoch: .*$/);
    expect(() => decodeKeyWrap('k', encodeCanonical({ ...document, format: 2 })))
      .to.throw(EngineError)
      .with.property('code', 'backup-unsupported');
  });
});
