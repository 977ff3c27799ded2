import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** A revision, or a machine, that nobody can name. */
export const UNKNOWN = 'unknown';
const MOST_BYTES = 256 * 1024 * 1024;
/** What the programs are built of, each into one file that says when. */
const BUILT = ['src', 'harness'] as const;
/** What is played beside them: files that nobody has added to the repository count there as well. */
const COUNTS = [...BUILT, 'scenarios', 'chaos'] as const;

/**
 * Of the program whose package lies here: its commit, 12 digits, and where files differ from it a digest of what differs, so that two states of files that are still being changed are two. What
 * was measured and published (reports) is none of it: in pieces, the first of which publishes, all runs are of one revision. A program that was built of other files than those that are here is of nobody knows which.
 */
export function revision(root: string): string {
  try {
    const commit = git(root, 'rev-parse', '--short=12', 'HEAD').trim();
    // A repository around the folder that it was unpacked in knows nothing of it.
    const isOfAnother = files(root, '--cached').length === 0;
    if (isOfAnother || BUILT.some((folder) => isOutdated(root, folder))) return UNKNOWN;
    const added = files(root, '--others', '--exclude-standard', '--', ...COUNTS).map((file) => told(root, file));
    const changes = git(root, 'diff', '--binary', 'HEAD', '--', '.', ':(exclude)reports') + added.join('');
    return changes === '' ? commit : `${commit}-dirty-${createHash('sha256').update(changes).digest('hex').slice(0, 8)}`;
  } catch {
    return UNKNOWN;
  }
}

const told = (root: string, file: string): string => `${file}\n${readFileSync(join(root, file), 'base64')}\n`;

/** A commit may come into a folder whose programs are running, and build nothing. A build that fails leaves the programs of before, and says so in its file. */
function isOutdated(root: string, folder: string): boolean {
  const file = join(root, 'dist', `${folder}.tsbuildinfo`);
  const built = statSync(file, { throwIfNoEntry: false });
  if (built === undefined) return false;
  if (readFileSync(file, 'utf8').includes('"affectedFilesPendingEmit"')) return true;
  const made = files(root, '--cached', '--others', '--exclude-standard', '--', `${folder}/*.ts`);
  return made.some((one) => (statSync(join(root, one), { throwIfNoEntry: false })?.mtimeMs ?? 0) > built.mtimeMs);
}

function files(root: string, ...which: readonly string[]): readonly string[] {
  return git(root, 'ls-files', '-z', ...which)
    .split('\0')
    .filter(Boolean);
}

function git(cwd: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0' }; // somebody may be committing
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', maxBuffer: MOST_BYTES, stdio: ['ignore', 'pipe', 'ignore'] });
}
