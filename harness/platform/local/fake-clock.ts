import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Of the package libfaketime; `$ARCH-linux-gnu` is Debian's folder for a machine's own libraries. */
const ARCHITECTURES = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const;
const FILE = 'clock';

/** Where libfaketime is, or why clocks cannot be moved here. */
export function fakeClockLibrary(): { readonly found: true; readonly file: string } | { readonly found: false; readonly why: string } {
  const folder = (ARCHITECTURES as Readonly<Record<string, string>>)[process.arch];
  const file = `/usr/lib/${folder}/faketime/libfaketime.so.1`;
  if (folder !== undefined && existsSync(file)) return { found: true, file };
  return { found: false, why: 'moving a clock needs libfaketime; apt-get install faketime (./scripts/setup does it)' };
}

/**
 * What a program needs in its environment so that its wall clock can be moved while it runs. The monotonic clock is left alone, as nothing
 * moves that on a real machine. `podRoot` is where the program sees its own folder. The library looks into the file once a second.
 */
export function fakeClockEnvironment(podRoot: string): Readonly<Record<string, string>> {
  const library = fakeClockLibrary();
  if (!library.found) return {};
  return {
    LD_PRELOAD: library.file,
    FAKETIME_TIMESTAMP_FILE: `${podRoot}/${FILE}`,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_FORCE_MONOTONIC_FIX: '0',
  };
}

/** How a pod's clock starts. */
export const RIGHT_CLOCK = { path: FILE, text: '+0\n' } as const;

/** Moves the clock of the pod whose folder this is; 0 sets it right. */
export async function moveClock(podRoot: string, offsetMs: number): Promise<void> {
  await writeFile(path.join(podRoot, FILE), `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}\n`);
}
