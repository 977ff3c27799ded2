import { openRestoreTarget, type PutInPlace, type RestoreRow, type RestoreTarget } from '../../database/lmdb-restore.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import type { EpochTable, LogEnd } from '../../replication/epochs.ts';
import { logEndOf, type Manifest } from '../format/manifest.ts';
import { viewOf } from '../format/blake3.ts';
import { recordsOf, visitRecords } from '../format/records.ts';
import type { LogChange, LogToApply } from '../log/log-to-apply.ts';
import { openBlobMap } from '../repository/blob-reader.ts';
import { readFileList, type BackupFile, type BackupFiles } from '../repository/file-list.ts';
import type { Repository } from '../repository/repository.ts';
import { compareWithSet } from './compare.ts';
import { startComparison, type Comparison } from './comparison.ts';
import { prefixEnd, rewritten, type PrefixChange } from './prefix.ts';
import { readRuns } from './run-reader.ts';
import { runsOf, type Run } from './runs.ts';
import { SetHash } from './set-hash.ts';

export interface RestoreOptions {
  readonly repository: Repository;
  readonly manifest: Manifest;
  /** LMDB folder; it must be empty, and the caller holds its lock. */
  readonly databaseFolder: string;
  readonly workers: number;
  /** Only keys with this prefix, which is replaced by another; null: everything. */
  readonly prefix: PrefixChange | null;
  /** Of all that the repository holds: the history of a part is above it. Without it, above that of the backup. */
  readonly highestEpoch?: () => Promise<number>;
  /** Applied on top, after everything was compared; null: the backup's own version. */
  readonly log: LogToApply | null;
  readonly clock: Clock;
  /** Called with where it will end, right before it becomes live. */
  readonly beforeLive?: (end: LogEnd) => Promise<void>;
  readonly onProgress: (progress: { readonly phase: string; readonly doneBytes: number; readonly totalBytes: number }) => void;
}

export interface Restored {
  readonly records: number;
  readonly bytes: number;
  readonly end: LogEnd;
  /** Of the set of records, after all: what is live was compared with it both ways. */
  readonly checked: 'root' | 'set';
  readonly resumed: boolean;
  readonly elapsedMs: number;
}

/** What a put notes: how many files are in, the set so far, and how far the log was applied. */
interface Note {
  readonly files: number;
  readonly set: string;
  readonly compared: boolean;
  readonly applied: LogEnd;
}

/**
 * Restores into an empty database, compares what is there with the backup both ways (missing and extra keys), and only then makes it live. Interrupted at any point the
 * database is as empty as before to whoever opens it; the same restore goes on where it was.
 * @throws EngineError backup-damaged, naming the object; bad-request where the target is not empty
 */
export async function restoreBackup(options: RestoreOptions, signal: AbortSignal): Promise<Restored> {
  const { repository, manifest, clock, log } = options;
  const startMs = clock.monotonicMs();
  const map = await openBlobMap(repository, manifest, signal);
  const [range, ...more] = manifest.ranges;
  if (range === undefined || more.length > 0) throw new EngineError('backup-unsupported', 'a backup of several ranges');
  const whole = await readFileList(repository, map, range, signal);
  const part = options.prefix === null ? whole : filesOfPrefix(whole, options.prefix);
  const target = openRestoreTarget(options.databaseFolder);
  try {
    const job = JSON.stringify([manifest.backupId, manifest.repo, options.prefix, log?.stream ?? null, log?.through ?? null]);
    const resumed = target.progress?.job === job;
    if (!resumed && target.progress !== null) await target.clear();
    const backupEnd = logEndOf(manifest);
    let note: Note = resumed
      ? (JSON.parse(target.progress?.note ?? '') as Note)
      : { files: 0, set: new SetHash(map.keys.id).text(), compared: false, applied: backupEnd };
    note = await fillAndCompare({ options, target, job, part, runs: (files) => runsOf({ files, end: part.end }, map), map }, note, signal);
    const set = SetHash.fromText(map.keys.id, note.set);
    const reached = await applyLog({ options, target, job, set }, note, signal);
    if (log !== null) compareWithSet(target, map.keys.id, set);
    signal.throwIfAborted();
    const { end, epochs } = await historyOf(options, reached);
    await options.beforeLive?.(end);
    await target.finish(end, epochs);
    return {
      records: needsSet(options) ? set.count : part.files.reduce((sum, { records }) => sum + records, 0),
      bytes: part.files.reduce((sum, { bytes }) => sum + bytes, 0),
      end,
      checked: options.prefix === null && log === null ? 'root' : 'set',
      resumed,
      elapsedMs: clock.monotonicMs() - startMs,
    };
  } finally {
    await target.close();
  }
}

interface Filling {
  readonly options: RestoreOptions;
  readonly target: RestoreTarget;
  readonly job: string;
  readonly part: BackupFiles;
  readonly runs: (files: readonly BackupFile[]) => readonly Run[];
  readonly map: Parameters<typeof runsOf>[1];
}

/** What is there is compared both ways: a whole backup by the ids of its files, while the files after them are put; a part of one by a sum. */
async function fillAndCompare(filling: Filling, from: Note, signal: AbortSignal): Promise<Note> {
  const { options, target, part, map } = filling;
  if (from.compared) return from;
  const idKey = map.keys.id;
  if (options.prefix !== null) {
    const note = await fill(filling, from, null, signal);
    options.onProgress({ phase: 'comparing', doneBytes: 0, totalBytes: 0 });
    compareWithSet(target, idKey, SetHash.fromText(idKey, note.set));
    return { ...note, compared: true };
  }
  const { databaseFolder, workers } = options;
  const comparison = await startComparison({ target, databaseFolder, idKey, files: part, inThread: workers > 0 }, signal);
  try {
    comparison.committed(from.files);
    const note = await fill(filling, from, comparison, signal);
    options.onProgress({ phase: 'comparing', doneBytes: 0, totalBytes: 0 });
    await comparison.finish();
    // Each part was compared after it was committed; nothing came to it later.
    const expected = part.files.reduce((sum, { records }) => sum + records, 0);
    if (target.records() !== expected)
      throw new EngineError('backup-differs', `${target.records()} records were restored, not ${expected}; it was not made live`);
    return { ...note, compared: true };
  } finally {
    await comparison.close();
  }
}

async function fill(
  { options, target, job, part, runs, map }: Filling,
  from: Note,
  comparison: Comparison | null,
  signal: AbortSignal,
): Promise<Note> {
  const { repository, workers, prefix } = options;
  const totalBytes = part.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const set = SetHash.fromText(map.keys.id, from.set);
  let note = from;
  let doneBytes = part.files.slice(0, note.files).reduce((sum, { bytes }) => sum + bytes, 0);
  const rest = part.files.slice(note.files);
  for await (const plains of readRuns({ repository, map, workers, contents: true }, runs(rest), signal)) {
    for (let n = 0; n < plains.length; n++) doneBytes += part.files[note.files + n]!.bytes;
    const rows = needsSet(options) ? [...rowsOf(plains, prefix, set)] : null;
    note = { ...note, files: note.files + plains.length, set: set.text() };
    const progress = { job, note: JSON.stringify(note) };
    if (rows === null) await target.append((put) => appendAll(plains, put), progress);
    else await target.put(rows, progress, prefix === null);
    comparison?.committed(note.files);
    options.onProgress({ phase: 'restoring', doneBytes, totalBytes });
  }
  return note;
}

/** The root compares a whole backup; the sum is for what has none: a part of it, or more than it. */
function needsSet({ prefix, log }: RestoreOptions): boolean {
  return prefix !== null || log !== null;
}

/** Where nothing else needs the rows: millions of objects keep the garbage collector busy. */
function appendAll(plains: readonly Uint8Array[], put: PutInPlace): void {
  for (const plain of plains) {
    const source = viewOf(plain);
    visitRecords(source, (key, value) => put(source, key, value));
  }
}

/** What is put of these files; it is added to the set. */
function* rowsOf(plains: readonly Uint8Array[], prefix: PrefixChange | null, set: SetHash): Generator<RestoreRow> {
  for (const plain of plains) {
    for (const { key, value } of recordsOf(viewOf(plain))) {
      const own = prefix === null ? key : rewritten(key, prefix);
      if (own === null) continue;
      set.add(own, value);
      yield { key: own, value };
    }
  }
}

async function applyLog(
  { options, target, job, set }: Pick<Filling, 'options' | 'target' | 'job'> & { readonly set: SetHash },
  from: Note,
  signal: AbortSignal,
): Promise<LogEnd> {
  if (options.log === null) return from.applied;
  let note = from;
  for await (const { end, changes } of options.log.batches(note.applied.index, signal)) {
    // Of several changes of a key in a batch the last counts; what was there before leaves the set.
    const last = new Map(changes.map(rowOf).map((row) => [Buffer.from(row.key).toString('latin1'), row]));
    for (const { key, value } of last.values()) {
      const before = target.get(key);
      if (before !== undefined) set.remove(key, before);
      if (value !== null) set.add(key, value);
    }
    note = { ...note, applied: end, set: set.text() };
    await target.put(last.values(), { job, note: JSON.stringify(note) }, false);
    options.onProgress({ phase: `applying the log, version ${end.index}`, doneBytes: 0, totalBytes: 0 });
  }
  if (note.applied.index !== options.log.through)
    throw new EngineError('backup-damaged', `the log ends at version ${note.applied.index}, before ${options.log.through}`);
  return note.applied;
}

function rowOf(change: LogChange): RestoreRow {
  if ('key' in change) return change;
  throw new EngineError(
    'backup-unsupported',
    'in this log somebody cleared a whole range of keys: restore it into FoundationDB, or to a point before that',
  );
}

function filesOfPrefix({ files, end }: BackupFiles, { from }: PrefixChange): BackupFiles {
  const begin = Buffer.from(from);
  const until = prefixEnd(begin);
  const wanted = files.map((file, n) => {
    const fileEnd = files[n + 1]?.begin ?? end;
    return (until === null || Buffer.compare(file.begin, until) < 0) && (fileEnd === null || Buffer.compare(fileEnd, begin) > 0);
  });
  const first = wanted.indexOf(true);
  const last = wanted.lastIndexOf(true);
  return { files: first < 0 ? [] : files.slice(first, last + 1), end: first < 0 ? null : (files[last + 1]?.begin ?? end) };
}

/** What a part of a backup holds no log tells, and none of another leads on from: else the next backup would take what was left out from this one, and others would go on from its log. */
async function historyOf(
  { manifest, prefix, highestEpoch }: RestoreOptions,
  end: LogEnd,
): Promise<{ readonly end: LogEnd; readonly epochs: EpochTable }> {
  if (prefix === null || end.index === 0) return { end, epochs: epochsOf(manifest, end) };
  const epoch = Math.max(end.epoch, (await highestEpoch?.()) ?? 0) + 1;
  return { end: { epoch, index: end.index }, epochs: [[epoch, 1]] };
}

function epochsOf(manifest: Manifest, end: LogEnd): EpochTable {
  const backupEnd = logEndOf(manifest);
  const stated = manifest['epochs'];
  const known: [number, number][] = Array.isArray(stated)
    ? (stated as { epoch: string; first: string }[]).map(({ epoch, first }) => [Number(epoch), Number(first)])
    : backupEnd.index === 0
      ? []
      : [[backupEnd.epoch, backupEnd.index]];
  return end.epoch === (known.at(-1)?.[0] ?? 0) ? known : [...known, [end.epoch, end.index]];
}
