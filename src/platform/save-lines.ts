import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from './errors.ts';
import { syncFolder } from './sync-folder.ts';

/** Lines that are written at once. */
const AT_ONCE = 1000;

/** @param named how the caller was given it, such as `--out`. @throws EngineError bad-request */
export function needNewFile(file: string, named: string): void {
  if (existsSync(file)) throw new EngineError('bad-request', `${named}: ${file} is there already`);
}

/** Writes lines for nobody else to read, as they come; the file has its name only once all of them are durable. Throws what the lines or the disk throw, and leaves nothing then. */
export async function saveLines(lines: AsyncIterable<string>, file: string): Promise<void> {
  const temporary = `${file}.part`;
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    let waiting: string[] = [];
    for await (const line of lines) {
      if (waiting.push(`${line}\n`) < AT_ONCE) continue;
      writeFileSync(descriptor, waiting.join(''));
      waiting = [];
    }
    writeFileSync(descriptor, waiting.join(''));
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}
