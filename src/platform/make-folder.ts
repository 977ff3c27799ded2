import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EngineError } from './errors.ts';

/** Makes a folder, and those above it, for its owner alone. @throws EngineError bad-config, naming the setting that wants it there */
export function makeFolder(path: string, setting: string): void {
  try {
    makeFolders(path);
  } catch (cause) {
    throw new EngineError('bad-config', `${setting}: cannot make the folder ${path}`, cause);
  }
}

/** Makes a folder, and those above it, for their owner alone. Node's own way (`recursive`) never ends where a file system says that there is nothing (ENOENT) below a folder that is there, as /proc does. @throws what mkdir says */
export function makeFolders(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !isMadeOrThere(at); at = dirname(at)) missing.push(at);
  for (const at of missing.toReversed()) mkdirOrThere(at);
}

/** false: the folder above is not there either. */
function isMadeOrThere(path: string): boolean {
  try {
    mkdirOrThere(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}

function mkdirOrThere(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}
