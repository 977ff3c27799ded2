import type { BlobMap } from '../repository/blob-reader.ts';
import type { BackupFiles } from '../repository/file-list.ts';

/** Range files that follow each other in key order and lie in one pack one after the other: one read. */
export interface Run {
  readonly pack: string;
  readonly begin: number;
  readonly end: number;
  readonly files: readonly RunFile[];
}

export interface RunFile {
  readonly id: Uint8Array;
  /** In the pack's plaintext. */
  readonly offset: number;
  readonly storedBytes: number;
  /** What its list and edges say of it. */
  readonly begin: Uint8Array;
  /** null: the end of the key space. */
  readonly end: Uint8Array | null;
  readonly records: number;
}

const RUN_BYTES = 4 * 1024 * 1024;
/** A run has no more than this, but for one file that is larger. */
export const RUN_PLAIN_BYTES = 8 * 1024 * 1024;

export function runsOf({ files, end }: BackupFiles, map: BlobMap): readonly Run[] {
  const runs: Run[] = [];
  let current: { pack: string; begin: number; end: number; plain: number; files: RunFile[] } | null = null;
  for (const [n, { id, bytes, begin, records }] of files.entries()) {
    const { pack, offset, storedBytes } = map.find(id);
    const name = Buffer.from(pack).toString('hex');
    const fits =
      current !== null &&
      current.pack === name &&
      current.end === offset &&
      offset + storedBytes - current.begin <= RUN_BYTES &&
      current.plain + bytes <= RUN_PLAIN_BYTES;
    if (!fits || current === null) {
      if (current !== null) runs.push(current);
      current = { pack: name, begin: offset, end: offset, plain: 0, files: [] };
    }
    current.files.push({ id, offset, storedBytes, begin, end: files[n + 1]?.begin ?? end, records });
    current.end = offset + storedBytes;
    current.plain += bytes;
  }
  if (current !== null) runs.push(current);
  return runs;
}
