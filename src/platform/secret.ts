import { readFileSync } from 'node:fs';
import { EngineError } from './errors.ts';

/** A key of at least 16 bytes from a file that holds it in base64, as tsig-keygen and knot write it. `bad-config` names the setting and the file, never what is in it. */
export function readSecret(file: string, setting: string): Buffer {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new EngineError('bad-config', `${setting}: cannot read ${file}`, cause);
  }
  if (!/^[A-Za-z0-9+/]{22,}={0,2}$/.test(text))
    throw new EngineError('bad-config', `${setting}: ${file} must hold at least 16 bytes in base64`);
  return Buffer.from(text, 'base64');
}
