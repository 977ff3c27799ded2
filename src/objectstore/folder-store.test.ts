import { expect } from 'chai';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../platform/errors.ts';
import { objectStoreConformance } from './conformance.ts';
import { openFolderStore } from './folder-store.ts';

describe('folder store', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'folder-store-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  objectStoreConformance(() => openFolderStore(join(root, 'store'), Date.now()));

  it('keeps objects as plain files that only their owner reads, and leaves nothing else behind', async () => {
    const store = await openFolderStore(root, Date.now());
    await store.put('a/b', Buffer.from('x'));
    await store.put('a/b', Buffer.from('y'));
    expect((await stat(join(root, 'a/b'))).mode & 0o777).to.equal(0o600);
    expect((await stat(join(root, 'a'))).mode & 0o777).to.equal(0o700);
    expect(await readdir(join(root, '.tmp'))).to.deep.equal([]);
  });

  it('removes temporary files that a killed program left, but not those of one that may still run', async () => {
    await mkdir(join(root, '.tmp'));
    for (const name of ['old', 'young']) await writeFile(join(root, '.tmp', name), 'x');
    await utimes(join(root, '.tmp', 'old'), 1000, 1000);
    await openFolderStore(root, Date.now());
    expect(await readdir(join(root, '.tmp'))).to.deep.equal(['young']);
  });

  it('never shows a temporary file or a symbolic link as an object', async () => {
    const store = await openFolderStore(root, Date.now());
    await writeFile(join(root, '.tmp', 'half'), 'x');
    await symlink('/etc/hostname', join(root, 'link'));
    const names: string[] = [];
    for await (const { name } of store.list('')) names.push(name);
    expect(names).to.deep.equal([]);
    expect(await store.get('link', { maxBytes: 1000 })).to.deep.equal({ outcome: 'not-found' });
    expect(await store.stat('link')).to.equal(null);
  });

  it('never shows what has no name of an object: what a file system or an editor leaves beside them', async () => {
    const store = await openFolderStore(root, Date.now());
    await store.put('a/b', Buffer.from('x'));
    for (const name of ['.nfs000001', 'b~', 'b#']) await writeFile(join(root, 'a', name), 'x');
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, 'lost+found', 'c'), 'x');
    const names: string[] = [];
    for (const prefix of ['', 'a/']) for await (const { name } of store.list(prefix)) names.push(name);
    expect(names).to.deep.equal(['a/b', 'a/b']);
  });

  it('is made by what is put into it: who only reads a place that was mistyped leaves nothing there', async () => {
    const nowhere = join(root, 'mistyped', 'store');
    const store = await openFolderStore(nowhere, Date.now());
    expect(await store.get('a', { maxBytes: 1000 })).to.deep.equal({ outcome: 'not-found' });
    for await (const { name } of store.list('')) expect.fail(name);
    expect(await store.delete('a')).to.deep.equal({ outcome: 'not-found' });
    expect(await readdir(root)).to.deep.equal([]);
    await store.put('a', Buffer.from('x'));
    expect(await readdir(nowhere)).to.have.members(['.tmp', 'a']);
    await rm(join(root, 'mistyped'), { recursive: true });
    const gone: unknown = await store.put('b', Buffer.from('x')).catch((error: unknown) => error);
    expect(gone, 'one that is away is not made anew').to.have.property('code', 'object-store-failed');
  });

  it('says what is wrong where it cannot be', async () => {
    await writeFile(join(root, 'file'), '');
    const outcome: unknown = await openFolderStore(join(root, 'file'), Date.now()).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(EngineError).with.property('code', 'object-store-failed');
  });
});
