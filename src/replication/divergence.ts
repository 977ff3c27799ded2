import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Entry } from '../database/database.ts';
import { makeFolders } from '../platform/make-folder.ts';
import { syncFolder } from '../platform/sync-folder.ts';

const FOLDER = 'divergent';
const CHUNK_BYTES = 1024 * 1024;
const MAX_FILES_LISTED = 1000;

export interface ExportedTail {
  readonly file: string;
  readonly entries: number;
}

/**
 * Writes what the log has above `afterIndex` to `divergent/<epoch>-<index>.ndjson` of its first entry and makes it durable, before anybody removes it.
 * Null when there is nothing that somebody wrote (noops only). What was trimmed from the log is not in the file; `afterIndex` says where it should have begun.
 */
export function exportTail(database: Database, afterIndex: number, dataFolder: string): ExportedTail | null {
  const { log, baseIndex } = database.state();
  const from = Math.max(afterIndex, baseIndex) + 1;
  const first = from > log.index ? undefined : database.entries(from, 1)[0];
  if (first === undefined) return null;
  const folder = join(dataFolder, FOLDER);
  makeFolders(folder);
  const name = `${first.epoch}-${first.index}.ndjson`;
  const temporary = join(folder, `.${name}.tmp`);
  const descriptor = openSync(temporary, 'w', 0o600);
  let written = 0;
  try {
    for (let index = from; index <= log.index;) {
      const entries = database.entries(index, CHUNK_BYTES);
      index += entries.length;
      const lines = entries.filter((entry) => entry.op !== 'noop');
      written += lines.length;
      // Not writeSync: a disk that becomes full takes a part of it, and says so only to who writes the rest.
      writeFileSync(descriptor, lines.map(tailLine).join(''));
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (written === 0) return null;
  renameSync(temporary, join(folder, name));
  syncFolder(folder);
  syncFolder(dataFolder);
  return { file: name, entries: written };
}

function tailLine({ epoch, index, op, key, value }: Entry): string {
  return `${JSON.stringify({ epoch, index, op, key, ...(op === 'put' ? { value } : {}) })}\n`;
}

/** The exported tails, one JSON line a file: `{file, entries: […]}`, oldest name first. */
export function* divergentLines(dataFolder: string): Generator<string> {
  const folder = join(dataFolder, FOLDER);
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // Never made: nothing ever diverged.
  }
  const files = names.filter((name) => /^\d+-\d+\.ndjson$/.test(name)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  for (const file of files.slice(0, MAX_FILES_LISTED)) {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n').filter(Boolean);
    yield `{"file":${JSON.stringify(file)},"entries":[${lines.join(',')}]}\n`;
  }
}
