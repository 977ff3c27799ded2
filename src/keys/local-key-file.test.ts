import { expect } from 'chai';
import { chmod, chown, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../platform/errors.ts';
import { keyServiceConformance } from './conformance.ts';
import { readKeyLineFile } from './key-line-file.ts';
import { createLocalKeyFile, openLocalKeyFile } from './local-key-file.ts';

describe('local key file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
    path = join(folder, 'key');
    await createLocalKeyFile(path);
    await createLocalKeyFile(join(folder, 'other'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  keyServiceConformance(
    () => openLocalKeyFile(path),
    () => openLocalKeyFile(join(folder, 'other')),
  );

  async function expectRefused(attempt: Promise<unknown>, message: RegExp): Promise<void> {
    const outcome: unknown = await attempt.catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(EngineError).with.property('code', 'bad-config');
    expect((outcome as EngineError).message).to.match(message);
  }

  it('is made for its owner alone, and never over another', async () => {
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    const before = await readFile(path);
    await expectRefused(createLocalKeyFile(path), /cannot make/);
    expect((await readFile(path)).equals(before)).to.equal(true);
  });

  it('is refused when others may read, write or run it, and taken read-only', async () => {
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644]) {
      await chmod(path, mode);
      await expectRefused(openLocalKeyFile(path), /chmod 600/);
    }
    await chmod(path, 0o400);
    expect(await openLocalKeyFile(path)).to.have.property('kind', 'local-file');
  });

  it('is refused when it belongs to another user', async function () {
    if (process.geteuid?.() !== 0) return this.skip(); // reason: only root can give a file away
    await chown(path, 65534, 65534);
    await expectRefused(openLocalKeyFile(path), /another user/);
  });

  it('is taken as Kubernetes mounts it: by a link, and of a link that leads to what others may read the file is refused', async () => {
    await symlink(path, join(folder, 'link'));
    expect(await openLocalKeyFile(join(folder, 'link'))).to.have.property('kind', 'local-file');
    await chmod(path, 0o644);
    await expectRefused(openLocalKeyFile(join(folder, 'link')), /others may read it; chmod 600/);
  });

  it("is taken by another user than root where it is root's and for a group of that user, and refused where it is for all", async function () {
    if (process.geteuid?.() !== 0) return this.skip(); // reason: only root can give a file away
    await chown(path, 0, 65532);
    const read = (): Promise<Buffer> => readKeyLineFile(path, 'cdr1-local-key', { uid: 65532, groups: [65532] });
    await chmod(path, 0o440);
    expect(await read()).to.have.length(32);
    await chmod(path, 0o444);
    await expectRefused(read(), /mode 444: others may read it/);
    await chmod(path, 0o600);
    await chown(path, 65534, 65534);
    await expectRefused(read(), /another user/);
  });

  it('is refused when it is something else, and its content never shows', async () => {
    await expectRefused(openLocalKeyFile(join(folder, 'none')), /cannot read/);
    await expectRefused(openLocalKeyFile(folder), /no regular file/);
    for (const content of [
      '',
      'cdr1-local-key\n',
      'cdr1-local-key c2VjcmV0\n',
      `cdr1-local-key ${'A'.repeat(43)}=`,
      'secret'.repeat(100),
    ]) {
      await writeFile(join(folder, 'wrong'), content, { mode: 0o600 });
      await expectRefused(
        openLocalKeyFile(join(folder, 'wrong')),
        /^(?!.*secret).*no key file of this kind: one is the single line `cdr1-local-key …`, 32 bytes in base64$/,
      );
    }
  });
});
