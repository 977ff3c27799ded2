import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
});
