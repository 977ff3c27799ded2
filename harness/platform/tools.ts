import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathWithSbin } from './process.ts';

/** Where ./scripts/setup puts what it builds (in `bin`) and unpacks. */
export const SETUP_CACHE = path.join(homedir(), '.cache', 'coditect-dr');

/** The path of a tool that not every machine has; undefined where it is not. */
export function findTool(name: string): string | undefined {
  return findProgram(name, [
    ...pathFolders(),
    path.join(SETUP_CACHE, 'bin'),
    path.join(process.env['GOPATH'] ?? path.join(homedir(), 'go'), 'bin'),
  ]);
}

/** The folders of PATH, and those that distributions keep out of an ordinary user's. */
export function pathFolders(): readonly string[] {
  return pathWithSbin().split(path.delimiter);
}

/** The first program of that name in these folders. */
export function findProgram(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
