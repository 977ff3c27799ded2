import { expect } from 'chai';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from './make-folder.ts';

describe('making folders', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'coditect-folders-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const refusal = (path: string): unknown => {
    try {
      makeFolders(path);
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
    return null;
  };

  it('makes those above as well, for their owner alone, and takes what is there', () => {
    const path = join(folder, 'a', 'b', 'c');
    for (const _time of [1, 2]) makeFolders(path);
    expect(statSync(join(folder, 'a')).mode & 0o777).to.equal(0o700);
    expect(statSync(path).isDirectory()).to.equal(true);
    symlinkSync(path, join(folder, 'link'));
    makeFolders(join(folder, 'link'));
    makeFolders(join(folder, 'link', 'd'));
    makeFolders('/');
  });
  it('says why where it cannot', () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    expect(refusal(join(folder, 'file'))).to.equal('EEXIST');
    expect(refusal(join(folder, 'file', 'below'))).to.equal('ENOTDIR');
    expect(refusal(join(folder, 'file', 'far', 'below'))).to.equal('ENOTDIR');
    expect(refusal(join(folder, 'dangling'))).to.equal('ENOENT');
    expect(refusal(join(folder, 'dangling', 'below'))).to.equal('ENOENT');
  });
  it('ends where a file system refuses in a way of its own', () => {
    expect(refusal('/proc/coditect-none')).to.equal('ENOENT');
    expect(refusal('/proc/coditect-none/a/b')).to.equal('ENOENT');
  });
});
