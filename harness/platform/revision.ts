import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import process from 'node:process';

/** A revision, or a machine, that nobody can name. */
export const UNKNOWN = 'unknown';
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Of the program whose package lies here: its commit, 12 digits, and where tracked files differ from it a digest of what differs, so that two states of files that are still being changed are two. What
 * was measured and published (reports) is none of it: in pieces, the first of which publishes, all runs are of one revision.
 */
export function revision(root: string): string {
  try {
    const commit = git(root, 'rev-parse', '--short=12', 'HEAD').trim();
    const changes = git(root, 'diff', '--binary', 'HEAD', '--', '.', ':(exclude)reports');
    return changes === '' ? commit : `${commit}-dirty-${createHash('sha256').update(changes).digest('hex').slice(0, 8)}`;
  } catch {
    return UNKNOWN;
  }
}

function git(cwd: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0' }; // somebody may be committing
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', maxBuffer: MOST_BYTES, stdio: ['ignore', 'pipe', 'ignore'] });
}
