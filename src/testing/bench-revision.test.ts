import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { benchRevision } from './bench-revision.ts';

describe('the revision of what a bench measures', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bench-revision-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is another for each state of src, files among them that nobody has added yet', () => {
    const git = (...args: readonly string[]): Buffer =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x', ...args], { cwd: folder });
    const of = (): string => benchRevision(new Date(0), folder);
    git('init', '--quiet');
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'old.ts'), 'a');
    git('add', '.');
    git('commit', '--quiet', '--message', 'x');
    const clean = of();
    expect(clean).to.match(/^[0-9a-f]{12}$/);
    writeFileSync(join(folder, 'notes'), 'beside src');
    expect(of()).to.equal(clean);
    const states = ['a', 'b'].map((text) => {
      writeFileSync(join(folder, 'src', 'new.ts'), text);
      return of();
    });
    writeFileSync(join(folder, 'src', 'old.ts'), 'b');
    expect(new Set([clean, ...states, of()])).to.have.property('size', 4);
  });

  it('is one of its own for each call where nobody can tell', () => {
    expect(benchRevision(new Date(0), folder)).to.not.equal(benchRevision(new Date(1), folder));
  });
});
