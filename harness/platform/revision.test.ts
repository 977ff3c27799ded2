import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { revision } from './revision.ts';

describe('the revision of what runs', function () {
  this.timeout(30_000);
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'revision-'))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, text: string): void => writeFileSync(join(root, file), text);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'commit.gpgsign=false', ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();

  it('tells two states of changed files apart, and does not mind what is published', () => {
    expect(revision(root)).to.equal('unknown');
    git('init', '-q');
    mkdirSync(join(root, 'reports'));
    write('engine.ts', 'one');
    write('reports/table.md', 'one');
    git('add', '.');
    git('commit', '-q', '-m', 'x');
    const clean = revision(root);
    expect(git('rev-parse', 'HEAD').startsWith(clean), clean).to.equal(true);
    write('reports/table.md', 'two');
    expect(revision(root)).to.equal(clean);
    write('engine.ts', 'two');
    const changed = revision(root);
    expect(changed).to.match(/^[0-9a-f]{12}-dirty-[0-9a-f]{8}$/);
    expect(revision(root)).to.equal(changed);
    write('engine.ts', 'three');
    expect(revision(root)).to.not.equal(changed);
    write('engine.ts', 'one');
    expect(revision(root)).to.equal(clean);
  });

  it('tells two states of files apart that nobody has added yet, where a program or what it plays is made of them', () => {
    git('init', '-q');
    write('engine.ts', 'one');
    git('add', '.');
    git('commit', '-q', '-m', 'x');
    const clean = revision(root);
    write('notes.txt', 'one');
    expect(revision(root)).to.equal(clean);
    mkdirSync(join(root, 'src'));
    write('src/new.ts', 'one');
    const changed = revision(root);
    expect(changed).to.match(/^[0-9a-f]{12}-dirty-[0-9a-f]{8}$/);
    write('src/new.ts', 'two');
    expect(revision(root))
      .to.match(/-dirty-/)
      .and.to.not.equal(changed);
  });

  it('is not that of a repository around it, which knows nothing of what was unpacked there', () => {
    git('init', '-q');
    write('.gitignore', 'release');
    write('notes.txt', 'one');
    git('add', '.');
    git('commit', '-q', '-m', 'x');
    mkdirSync(join(root, 'release'));
    write('release/engine.ts', 'one');
    expect(revision(join(root, 'release'))).to.equal('unknown');
  });

  it('is nobody’s where the program was built of files that are others by now', () => {
    git('init', '-q');
    for (const folder of ['src', 'harness', 'dist']) mkdirSync(join(root, folder));
    write('src/engine.ts', 'one');
    write('.gitignore', 'dist');
    git('add', '.');
    git('commit', '-q', '-m', 'x');
    const at = (file: string, second: number): void => utimesSync(join(root, file), second, second);
    for (const built of ['dist/src.tsbuildinfo', 'dist/harness.tsbuildinfo']) {
      write(built, '');
      at(built, 2000);
    }
    at('src/engine.ts', 1000);
    expect(revision(root)).to.match(/^[0-9a-f]{12}$/);
    at('src/engine.ts', 3000);
    expect(revision(root), 'another commit came into this folder, and nobody has built it').to.equal('unknown');
    at('dist/src.tsbuildinfo', 4000);
    expect(revision(root)).to.match(/^[0-9a-f]{12}$/);
    // As tsc -b leaves it, with the programs of before.
    write('dist/src.tsbuildinfo', '{"version":"7","affectedFilesPendingEmit":[1]}');
    expect(revision(root), 'the build failed').to.equal('unknown');
  });
});
