import type { DataReader, PinnedData } from '../../database/data-reader.ts';
import { epochAt, type EpochTable, type LogEnd } from '../../replication/epochs.ts';
import type { Segment } from '../chunking/range-cutter.ts';
import type { BackupFile } from '../repository/file-list.ts';
import type { Job } from './worker-messages.ts';

/**
 * A whole scan is cut into parts of about so much. Fixed, so that a run that begins again makes the same packs; small, so that no thread is left with the last
 * part while others have none; a few packs large, so that those at the ends of parts, which are not full, do not matter.
 */
export const JOB_BYTES = 32 * 1024 * 1024;
/** More changes than this are not looked up one by one. */
const MAX_CHANGES = 1_000_000;
const START = Buffer.alloc(0);

/** Jobs that cover the whole key space. Each key is looked up when a worker is free for it: the first begins at once. */
export async function* wholeScan(reader: DataReader, workers: number): AsyncGenerator<Job> {
  const { records, bytes } = reader.size();
  const jobs = Math.max(workers, Math.ceil(bytes / JOB_BYTES));
  const step = Math.floor(records / jobs);
  let begin: Buffer = START;
  for (let n = 1; n < jobs && step > 0; n++) {
    const end = reader.keyAfter(n === 1 ? null : begin, step);
    if (end === null) break;
    yield { segments: [{ begin, beginExact: n === 1, end, endExact: false }], rows: null };
    begin = end;
  }
  yield { segments: [{ begin, beginExact: begin.length === 0, end: null, endExact: false }], rows: null };
}

/**
 * The keys that were written since `since`, in byte order, as the log has them; null where the log does not tell: it was trimmed, the state at `since` is
 * of another history, or there are too many.
 * @param data as new as what is read (`read`), or newer: then a few more keys are told, none is missed
 */
export function changedKeys(data: PinnedData, since: LogEnd, read: LogEnd): readonly Buffer[] | null {
  const { end, epochs, baseIndex } = data.identity;
  if (since.index > read.index || !inHistory(epochs, end.index, read)) return null;
  if (!inHistory(epochs, end.index, since) || since.index < baseIndex || end.index - since.index > MAX_CHANGES) return null;
  const keys = new Set<string>();
  for (const { op, key } of data.entries(since.index + 1, end.index)) if (op !== 'noop') keys.add(key);
  return [...keys].map((key) => Buffer.from(key)).toSorted((a, b) => Buffer.compare(a, b));
}

function inHistory(epochs: EpochTable, lastIndex: number, { index, epoch }: { readonly index: number; readonly epoch: number }): boolean {
  return epochAt(epochs, lastIndex, index) === epoch;
}

/** Files of the backup before, some of which are kept as they are, and the parts of the key space in between that are to be read again. */
export type Piece = { readonly keep: BackupFile } | { readonly scan: Segment };

/** @param files of the backup before, from the start of the key space to its end; `keepable` tells whether a file is in the repository still */
export function piecesOf(
  files: readonly BackupFile[],
  changed: readonly Buffer[],
  keepable: (file: BackupFile) => boolean,
): readonly Piece[] {
  const dirty = files.map((file) => !keepable(file));
  for (const key of changed) dirty[fileOf(files, key)] = true;
  const pieces: Piece[] = [];
  for (let n = 0; n < files.length; n++) {
    if (dirty[n] === false) {
      pieces.push({ keep: files[n]! });
      continue;
    }
    const begin = files[n]!.begin;
    while (n + 1 < files.length && dirty[n + 1] === true) n++;
    pieces.push({ scan: { begin, beginExact: true, end: files[n + 1]?.begin ?? null, endExact: true } });
  }
  return pieces;
}

/** The scans of a plan as jobs, a few for each worker. */
export async function* scanJobs(pieces: readonly Piece[], workers: number): AsyncGenerator<Job> {
  const segments = pieces.flatMap((piece) => ('scan' in piece ? [piece.scan] : []));
  const size = Math.max(1, Math.ceil(segments.length / (workers * 2)));
  for (let at = 0; at < segments.length; at += size) yield { segments: segments.slice(at, at + size), rows: null };
}

function fileOf(files: readonly BackupFile[], key: Buffer): number {
  let low = 0;
  for (let high = files.length; high - low > 1;) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(files[middle]!.begin, key) <= 0) low = middle;
    else high = middle;
  }
  return low;
}
