import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where the servers are that distributions keep out of an ordinary user's PATH. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What programs of the lab see as environment: nothing of the caller's, since what happens to be set there would decide how the system under
 * test behaves. Compiled JavaScript is cached between starts where that folder can be written.
 */
export function programEnvironment(): Readonly<Record<string, string>> {
  const cache = compileCache();
  return { PATH, HOME: '/run/pod', LANG: 'C.UTF-8', ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) };
}

function compileCache(): string | undefined {
  const dist = path.resolve(import.meta.dirname, '../../..');
  if (writable(dist)) return path.join(dist, '.cache');
  const home = homedir();
  return writable(home) ? path.join(home, '.cache', 'coditect-dr') : undefined;
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
