import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { HarnessError } from '../../errors.ts';

/** What `./scripts/setup --with-kubernetes` builds, and where it leaves it. */
const KUBERNETES_VERSION = '1.31.0';
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager'] as const;

export type Binaries = Readonly<Record<(typeof PROGRAMS)[number], string>>;

export const MISSING = 'no kube-apiserver (./scripts/setup --with-kubernetes)';

/** Undefined where they were not built: `MISSING` says what to do. */
export function findBinaries(): Binaries | undefined {
  const folder = path.join(homedir(), '.cache', 'coditect-dr', `kubernetes-${KUBERNETES_VERSION}`);
  const files = PROGRAMS.map((name) => [name, path.join(folder, name)] as const);
  try {
    for (const [, file] of files) accessSync(file, constants.X_OK);
  } catch {
    return undefined;
  }
  return Object.fromEntries(files) as Binaries;
}

export function needBinaries(): Binaries {
  const found = findBinaries();
  if (found === undefined) throw new HarnessError('missing-tool', `there is ${MISSING}`);
  return found;
}
