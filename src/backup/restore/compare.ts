import type { RestoreTarget } from '../../database/lmdb-restore.ts';
import { EngineError } from '../../platform/errors.ts';
import { rangeFileWriter } from '../chunking/range-cutter.ts';
import { blobId } from '../format/ids.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import { SetHash } from './set-hash.ts';

type Scannable = Pick<RestoreTarget, 'scan'>;

const START = Buffer.alloc(0);

/**
 * Cuts all that the target holds where the files are at their own borders and compares the ids: the files cover their part of the key space without gap, so a key that is
 * missing, one too many, and a value that differs all show. @throws EngineError backup-differs, naming the range
 */
export function compareWithFiles(target: Scannable, idKey: Uint8Array, { files, end }: BackupFiles): void {
  const writer = rangeFileWriter();
  let number = 0;
  let differs = -1;
  writer.start(files[0]!.begin);
  const close = (): boolean => {
    const next = files[number + 1];
    const id = blobId(idKey, writer.finish(next?.begin ?? end));
    if (Buffer.compare(id, files[number]!.id) !== 0) differs = number;
    number++;
    if (next !== undefined) writer.start(next.begin);
    return differs < 0;
  };
  target.scan(files[0]!.begin, (key, keyBytes, value, valueBytes) => {
    if (end !== null && key.compare(end, 0, end.length, 0, keyBytes) >= 0) return false;
    for (
      let next = files[number + 1];
      next !== undefined && key.compare(next.begin, 0, next.begin.length, 0, keyBytes) >= 0;
      next = files[number + 1]
    )
      if (!close()) return false;
    if (writer.isRoomFor(keyBytes + valueBytes)) writer.add(key, keyBytes, value, valueBytes);
    else differs = number;
    return differs < 0;
  });
  while (differs < 0 && number < files.length) close();
  if (differs >= 0) {
    const begin = Buffer.from(files[differs]!.begin).toString('hex');
    throw new EngineError('backup-differs', `what was restored is not what was backed up, from key 0x${begin} on; it was not made live`);
  }
}

/** The files `from` to before `to`, up to where the next one begins. */
export function partOf({ files, end }: BackupFiles, from: number, to: number): BackupFiles {
  return { files: files.slice(from, to), end: files[to]?.begin ?? end };
}

/** Compares all that the target holds with a sum over what should be there. @throws EngineError backup-differs */
export function compareWithSet(target: Scannable, key: Uint8Array, expected: SetHash): void {
  const actual = new SetHash(key);
  target.scan(START, (rowKey, keyBytes, value, valueBytes) => {
    actual.add(rowKey.subarray(0, keyBytes), value.subarray(0, valueBytes));
    return true;
  });
  if (actual.text() !== expected.text())
    throw new EngineError(
      'backup-differs',
      `what was restored (${actual.count} records) is not what should be there (${expected.count}); it was not made live`,
    );
}
