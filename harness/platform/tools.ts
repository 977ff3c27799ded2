import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathWithSbin } from './process.ts';

/** Where ./scripts/setup puts what it builds with Go. */
const BUILT = path.join(homedir(), '.cache', 'coditect-dr', 'bin');

/** The path of a tool that not every machine has; undefined where it is not. */
export function findTool(name: string): string | undefined {
  const folders = [...pathWithSbin().split(path.delimiter), BUILT, path.join(process.env['GOPATH'] ?? path.join(homedir(), 'go'), 'bin')];
  return folders.map((folder) => path.join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
