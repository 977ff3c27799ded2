import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is that may be started; undefined: nowhere. A name with a slash is a path. */
export function findProgram(name: string, folders: readonly string[] = onPath()): string | undefined {
  return name.includes('/') ? [name].find(isProgram) : folders.map((folder) => join(folder, name)).find(isProgram);
}

export function onPath(): readonly string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
