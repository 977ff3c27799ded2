import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Fault } from '../../../fault/fault.ts';
import { decodeManifest } from '../../../fault/manifest.ts';
import { faultKinds } from '../../../registry.ts';

const CHAOS = path.resolve(import.meta.dirname, '../../../../../chaos');

/** The first experiment of a manifest of the package. */
export function packagedFault(file: string): Fault {
  const decoded = decodeManifest(readFileSync(path.join(CHAOS, file), 'utf8'), file, { kinds: faultKinds, defaultNamespace: 'coditect' });
  if (!decoded.ok || decoded.value[0] === undefined) throw new Error(JSON.stringify(decoded));
  return decoded.value[0];
}
