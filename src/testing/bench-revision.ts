import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of what a bench measures: the commit that is here, and a digest of what differs from it in src; where nobody can tell, a name that no other call has. */
export function benchRevision(at: Date, root = '.'): string {
  try {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, stdio: 'pipe' });
    const commit = git('rev-parse', '--short=12', 'HEAD').trim();
    const added = git('ls-files', '-z', '--others', '--exclude-standard', '--', 'src').split('\0').filter(Boolean);
    const contents = added.map((file) => `${file}\n${readFileSync(join(root, file), 'base64')}\n`).join('');
    const changes = git('diff', '--binary', 'HEAD', '--', 'src') + contents;
    return changes === '' ? commit : `${commit}-dirty-${createHash('sha256').update(changes).digest('hex').slice(0, 8)}`;
  } catch {
    return `unknown, of ${at.toISOString()}`;
  }
}
