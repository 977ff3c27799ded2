import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Throws where a test that makes namespaces and rules would make them on the machine itself. Call it in `before`. */
export function requireSandbox(): void {
  const inside = process.env['GAMEDAY_SANDBOX'] === '1' && readFileSync('/proc/1/comm', 'utf8').trim() === 'tini';
  if (!inside) throw new Error('this test changes the network: run it in a sandbox, with npm run test:system');
}
