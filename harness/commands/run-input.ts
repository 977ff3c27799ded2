import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HarnessError } from '../platform/errors.ts';

/** A program of the contract says within this time that a configuration is not there. */
const ANSWER_MS = 10_000;
const BAD_INPUT = 2;

/**
 * What can be known to be wrong with `--reports` and `--engine` before anybody waits for a turn or starts a lab. Throws HarnessError
 * `bad-input` with what to do.
 */
export async function refuseBadPlaces({
  reports,
  engine,
}: {
  readonly reports: string;
  readonly engine: string | undefined;
}): Promise<void> {
  if (engine !== undefined) await refuseNoEngine(resolve(engine));
  refuseUnwritable(reports); // which makes it: last
}

/**
 * Makes the folder. In the nearest one that is there another is made first, and removed: permissions alone say nothing about /proc, or about a disk that is mounted read-only, and node's recursive mkdir
 * never ends below /proc. Throws HarnessError `bad-input`.
 */
export function refuseUnwritable(reports: string): void {
  try {
    let there = resolve(reports);
    while (!existsSync(there)) there = dirname(there);
    rmdirSync(mkdtempSync(join(there, '.writable-')));
    mkdirSync(reports, { recursive: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST' || code === 'ENOTDIR' ? 'it is a file, or lies below one' : `no folder can be made in it (${code ?? message})`;
    throw new HarnessError('bad-input', `--reports ${reports}: ${why}; name a folder that can be written to`, error);
  }
}

/** Every engine ends with 2 when its configuration is not there (ARCHITECTURE §3); what does otherwise is none. */
async function refuseNoEngine(file: string): Promise<void> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw new HarnessError('bad-input', `--engine ${file}: there is no such file`);
  if (!stat.isFile()) throw new HarnessError('bad-input', `--engine ${file}: is no file; name the engine's program`);
  const { code, stderr } = await end(file, ['database', '--config', '/nonexistent/config.yaml']);
  if (code === BAD_INPUT) return;
  const ended = code === null ? `did not end within ${ANSWER_MS / 1000} s` : `ended with ${code}`;
  const said = /^\w*Error\b.*$/m.exec(stderr)?.[0] ?? stderr.trim().split('\n')[0] ?? '';
  throw new HarnessError(
    'bad-input',
    `--engine ${file}: is no engine: \`database --config <a file that is not there>\` must end with 2 and ${ended}${said === '' ? '' : ` (${said.slice(0, 200)})`}`,
  );
}

function end(file: string, args: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [file, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: ANSWER_MS,
      killSignal: 'SIGKILL',
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, 10_000)));
    child.once('error', (error) => done({ code: 1, stderr: error.message }));
    child.once('close', (code) => done({ code, stderr }));
  });
}
