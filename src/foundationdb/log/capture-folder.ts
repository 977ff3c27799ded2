import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseLogFileName, type LogFileName } from './log-file.ts';

/** A log file that is complete. */
export interface CaptureFile extends LogFileName {
  readonly path: string;
}

/** The complete log files below a folder, in the order of their versions. What else is there, or goes while this looks, is left alone. */
export function captureFiles(folder: string): readonly CaptureFile[] {
  return entriesBelow(folder)
    .flatMap(({ name, path }) => {
      const parsed = parseLogFileName(name);
      return parsed === null ? [] : [{ ...parsed, path }];
    })
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end || (a.path < b.path ? -1 : 1));
}

/** Of all that is there, complete or not. */
export function bytesBelow(folder: string): number {
  return entriesBelow(folder).reduce((sum, { path }) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}

export function readCaptureFile({ path }: CaptureFile): Buffer {
  return readFileSync(path);
}

export function removeCaptureFile({ path }: Pick<CaptureFile, 'path'>): void {
  rmSync(path, { force: true });
}

/** All that an ended capture has left. */
export function emptyCaptureFolder(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

function entriesBelow(folder: string): readonly { readonly name: string; readonly path: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => ({ name, path: join(parentPath, name) }));
}
