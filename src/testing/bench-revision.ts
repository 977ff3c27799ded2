import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** Of what a bench measures: the commit that is here, and a digest of what differs from it in src; where nobody can tell, a name that no other call has. */
export function benchRevision(at: Date): string {
  try {
    const git = (...args: readonly string[]): string => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: 'pipe' });
    const commit = git('rev-parse', '--short=12', 'HEAD').trim();
    const changes = git('diff', '--binary', 'HEAD', '--', 'src') + git('ls-files', '--others', '--exclude-standard', '--', 'src');
    return changes === '' ? commit : `${commit}-dirty-${createHash('sha256').update(changes).digest('hex').slice(0, 8)}`;
  } catch {
    return `unknown, of ${at.toISOString()}`;
  }
}
