import type { SliceReader } from '../../database/remote-snapshot.ts';
import type { PutRow, RemoteTarget } from '../../database/remote-target.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { logEndOf, type Manifest } from '../format/manifest.ts';
import { viewOf } from '../format/blake3.ts';
import { recordsOf } from '../format/records.ts';
import { openBlobMap } from '../repository/blob-reader.ts';
import { readFileList, type BackupFiles } from '../repository/file-list.ts';
import type { Repository } from '../repository/repository.ts';
import { compareWithFiles, partOf } from './compare.ts';
import { applyLog, compareWithSum, PUT_BYTES, SLICE_BYTES } from './apply-log.ts';
import type { Restored, RestoreOptions } from './restore.ts';
import { readRuns } from './run-reader.ts';
import { runsOf } from './runs.ts';
import { SetHash } from './set-hash.ts';

/** About 8 MiB, which are read within seconds. */
const FILES_PER_PART = 32;
const PARTS_AT_ONCE = 3;
/** What a row counts beside its own bytes: FoundationDB counts up to ten times that (its key three times, each with the prefix), so that a transaction has no more than some ten thousand rows. */
const ROW_BYTES = 32;

export interface RemoteRestoreOptions extends Pick<RestoreOptions, 'workers' | 'onProgress' | 'log'> {
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly target: RemoteTarget;
  /** The highest epoch that the repository holds, whichever backup is restored. */
  readonly highestEpoch: () => Promise<number>;
  readonly clock: Clock;
}

/**
 * Restores into an empty database over the network, reads back all that is there and compares it with the backup both ways (missing and extra keys), then applies the log, if there is one, and compares again, and only then makes it live. Interrupted at
 * any point nobody can use the database; a restore then begins anew.
 * @throws EngineError backup-damaged, naming the object; backup-differs; bad-request where the target is not empty
 */
export async function restoreRemote(options: RemoteRestoreOptions, signal: AbortSignal): Promise<Restored> {
  const { repository, manifest, target, workers, clock, log } = options;
  const startMs = clock.monotonicMs();
  const map = await openBlobMap(repository, manifest, signal);
  const [range, ...more] = manifest.ranges;
  if (range === undefined || more.length > 0) throw new EngineError('backup-unsupported', 'a backup of several ranges');
  const files = await readFileList(repository, map, range, signal);
  const totalBytes = files.files.reduce((sum, { bytes }) => sum + bytes, 0);
  await target.begin(manifest.backupId);
  const set = new SetHash(map.keys.id);
  let doneBytes = 0;
  for await (const plains of readRuns({ repository, map, workers, contents: true }, runsOf(files, map), signal)) {
    await Promise.all([...batchesOf(plains, log === null ? null : set)].map((rows) => target.put(rows)));
    doneBytes += plains.reduce((sum, { length }) => sum + length, 0);
    options.onProgress({ phase: 'restoring', doneBytes, totalBytes });
  }
  await compareAll(
    { target, idKey: map.keys.id, files },
    (compared) => options.onProgress({ phase: 'comparing', doneBytes: compared, totalBytes }),
    signal,
  );
  let end = logEndOf(manifest);
  if (log !== null) {
    const onApplied = (version: number): void =>
      options.onProgress({ phase: `applying the log, version ${version}`, doneBytes: 0, totalBytes: 0 });
    end = await applyLog({ target, log, set, onApplied }, end, signal);
    await compareWithSum(target, map.keys.id, set, signal);
  }
  const highest = await options.highestEpoch();
  signal.throwIfAborted();
  await target.finish(highest);
  return {
    records: log === null ? files.files.reduce((sum, { records }) => sum + records, 0) : set.count,
    bytes: totalBytes,
    end,
    checked: log === null ? 'root' : 'set',
    resumed: false,
    elapsedMs: clock.monotonicMs() - startMs,
  };
}

/** @param set to which each of them is added */
export function* batchesOf(plains: readonly Uint8Array[], set: SetHash | null): Generator<readonly PutRow[]> {
  let rows: PutRow[] = [];
  let bytes = 0;
  for (const plain of plains) {
    for (const { key, value } of recordsOf(viewOf(plain))) {
      rows.push({ key, value });
      set?.add(key, value);
      bytes += key.length + value.length + ROW_BYTES;
      if (bytes < PUT_BYTES) continue;
      yield rows;
      rows = [];
      bytes = 0;
    }
  }
  if (rows.length > 0) yield rows;
}

interface Comparing {
  readonly target: SliceReader;
  readonly idKey: Uint8Array;
  readonly files: BackupFiles;
}

/** The parts of all files cover the key space without gap. */
async function compareAll(comparing: Comparing, onCompared: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const { files } = comparing;
  let next = 0;
  let bytes = 0;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const work = async (): Promise<void> => {
    for (let from = next; from < files.files.length; from = next) {
      next = from + FILES_PER_PART;
      const part = partOf(files, from, next);
      await comparePart(comparing, part, either);
      bytes += part.files.reduce((sum, file) => sum + file.bytes, 0);
      onCompared(bytes);
    }
  };
  try {
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, work));
  } finally {
    stop.abort(new EngineError('timeout', 'the comparison has ended'));
  }
}

async function comparePart({ target, idKey }: Comparing, part: BackupFiles, signal: AbortSignal): Promise<void> {
  const rows: (readonly [Buffer, Buffer])[] = [];
  const limitBytes = 2 * part.files.reduce((sum, { bytes }) => sum + bytes, SLICE_BYTES);
  let readBytes = 0;
  // More than there may be differs anyway: it need not be read to its end.
  for (let from: Uint8Array | null = part.files[0]!.begin; from !== null && readBytes < limitBytes;) {
    const slice = await target.slice(from, part.end, SLICE_BYTES, signal);
    for (const row of slice.rows) {
      rows.push(row);
      readBytes += row[0].length + row[1].length;
    }
    from = slice.next;
  }
  const scan: Parameters<typeof compareWithFiles>[0]['scan'] = (_begin, visit) => {
    for (const [key, value] of rows) if (!visit(key, key.length, value, value.length)) return;
  };
  compareWithFiles({ scan }, idKey, part);
}
