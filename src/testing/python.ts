import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** ./scripts/setup makes one where the machine's own lacks the packages that the reader of backups needs. */
const MADE = join(homedir(), '.cache', 'coditect-dr', 'python', 'bin', 'python3');
export const PYTHON = existsSync(MADE) ? MADE : 'python3';

/** For a test's title; empty where the reader can run. */
export const withoutPython =
  spawnSync(PYTHON, ['-c', 'import blake3, cryptography, zstandard']).status === 0
    ? ''
    : ': skipped, Python with blake3, cryptography and zstandard is not there (./scripts/setup makes it)';
