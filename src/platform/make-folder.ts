import { mkdirSync } from 'node:fs';
import { EngineError } from './errors.ts';

/** Makes a folder, and those above it, for its owner alone. @throws EngineError bad-config, naming the setting that wants it there */
export function makeFolder(path: string, setting: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new EngineError('bad-config', `${setting}: cannot make the folder ${path}`, cause);
  }
}
