import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../errors.ts';
import { parseJson } from '../json.ts';

const FILE = 'undo.ndjson';
const entryShape = z.object({
  context: z.string(),
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  run: z.string(),
});

/** An experiment that may be in a cluster because of this run. */
export type Entry = z.infer<typeof entryShape>;

/** Written and synced before the cluster is asked: whatever kills the run, what it has done is known. */
export function writeUndo(runFolder: string, entry: Entry): void {
  append(runFolder, { do: 'delete', ...entry });
}

/** The cluster has confirmed that it is gone. */
export function writeUndone(runFolder: string, entry: Entry): void {
  append(runFolder, { do: 'nothing', ...entry });
}

function append(runFolder: string, line: object): void {
  appendFileSync(path.join(runFolder, FILE), `${JSON.stringify(line)}\n`, { flush: true, mode: 0o600 });
}

const NO_JOURNAL: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/**
 * What a run has put into a cluster and not seen go. A last line that was cut by a crash is one that was never acted on. Throws HarnessError `bad-input` for a journal that is there and cannot be read.
 */
export function openEntries(runFolder: string): readonly Entry[] {
  const file = path.join(runFolder, FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (NO_JOURNAL.has((error as NodeJS.ErrnoException).code ?? '')) return []; // no run on a cluster
    throw new HarnessError('bad-input', `${file}: cannot be read, so nobody knows what is to be taken back: ${String(error)}`, error);
  }
  const open = new Map<string, Entry>();
  for (const line of text.split('\n')) {
    const read = entryShape.extend({ do: z.enum(['delete', 'nothing']) }).safeParse(parseJson(line));
    if (!read.success) continue;
    const { do: what, ...entry } = read.data;
    const key = [entry.context, entry.kind, entry.namespace, entry.name].join('/');
    if (what === 'delete') open.set(key, entry);
    else open.delete(key);
  }
  return [...open.values()];
}
