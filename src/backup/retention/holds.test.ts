import { expect } from 'chai';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderStore } from '../../objectstore/folder-store.ts';
import type { Repository } from '../repository/repository.ts';
import { putHold, readHolds } from './holds.ts';

describe('a hold', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'coditect-holds-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is what was said last, whatever the clocks of who said it', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const store = await openFolderStore(folder, Date.now());
    const repository = { store, signingKey: privateKey, trusted: [createPublicKey(privateKey)] } as unknown as Repository;
    const isHeld = async (): Promise<boolean> => (await readHolds(repository)).has('b');
    const say = async (held: boolean, at: string): Promise<void> =>
      await putHold(repository, { backupId: 'b', held, by: 'test', why: '', at: new Date(at) });
    await say(true, '2026-11-22T21:00:00.000Z');
    await say(false, '2031-01-01T00:00:00.000Z');
    expect(await isHeld()).to.equal(false);
    for (const at of ['2026-11-22T21:05:00.000Z', '2026-11-22T21:06:00.000Z']) {
      await say(true, at);
      expect(await isHeld(), at).to.equal(true);
      await say(false, at);
      expect(await isHeld(), at).to.equal(false);
    }
  });
});
