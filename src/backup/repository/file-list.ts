import { EngineError } from '../../platform/errors.ts';
import { decodeEdges, encodeEdges } from '../format/edges.ts';
import { BLOB_ID_BYTES, listRoot } from '../format/ids.ts';
import type { Manifest } from '../format/manifest.ts';
import { readBlob, type BlobMap } from './blob-reader.ts';
import type { Repository } from './repository.ts';

/** A range file of a backup. */
export interface BackupFile {
  readonly begin: Uint8Array;
  readonly id: Uint8Array;
  readonly records: number;
  readonly bytes: number;
}

export interface BackupFiles {
  readonly files: readonly BackupFile[];
  /** End of the last one; null: the end of the key space. */
  readonly end: Uint8Array | null;
}

/** Ids in one list: 256 KiB of them. */
const LIST_IDS = 8192;

export interface ListBlobs {
  readonly list: Buffer;
  readonly edges: Buffer;
}

/** The files as blobs to store: lists of ids, and beside each the edges. Cut at fixed places, so a backup that changed little shares most of them. */
export function encodeFileLists(files: readonly BackupFile[]): readonly ListBlobs[] {
  const lists: ListBlobs[] = [];
  for (let at = 0; at < files.length; at += LIST_IDS) {
    const part = files.slice(at, at + LIST_IDS);
    lists.push({ list: Buffer.concat(part.map(({ id }) => id)), edges: encodeEdges(part) });
  }
  return lists;
}

type Range = Manifest['ranges'][number];

/** The files of a range with their edges. @throws EngineError backup-damaged, or backup-unsupported for a backup without edges */
export async function readFileList(repository: Repository, map: BlobMap, range: Range, signal?: AbortSignal): Promise<BackupFiles> {
  const edgeIds = range['edges'];
  if (!Array.isArray(edgeIds) || edgeIds.length !== range.lists.length)
    throw new EngineError('backup-unsupported', 'this backup has no edges; restore it as a whole');
  const files: BackupFile[] = [];
  for (const [n, listId] of range.lists.entries()) {
    const list = await readBlob(repository, map, Buffer.from(listId, 'hex'), signal);
    const edges = decodeEdges(await readBlob(repository, map, Buffer.from(String(edgeIds[n]), 'hex'), signal));
    if (list.length !== edges.length * BLOB_ID_BYTES)
      throw new EngineError('backup-damaged', 'a list and its edges are of different lengths');
    for (const [k, edge] of edges.entries()) files.push({ ...edge, id: list.subarray(k * BLOB_ID_BYTES, (k + 1) * BLOB_ID_BYTES) });
  }
  const root = listRoot(
    map.keys.id,
    files.map(({ id }) => id),
  ).toString('hex');
  if (root !== range.root || files.length !== range.files)
    throw new EngineError('backup-damaged', 'the lists do not have the root that the manifest states');
  const records = files.reduce((sum, file) => sum + file.records, 0);
  if (records !== range.records)
    throw new EngineError('backup-damaged', `the edges count ${records} records, the manifest ${range.records}`);
  checkOrder(files, range);
  return { files, end: range.end === null ? null : Buffer.from(range.end, 'hex') };
}

function checkOrder(files: readonly BackupFile[], range: Range): void {
  const begin = Buffer.from(range.begin, 'hex');
  for (const [n, file] of files.entries()) {
    const before = files[n - 1];
    const fits = before === undefined ? begin.equals(file.begin) : Buffer.compare(before.begin, file.begin) < 0;
    if (!fits) throw new EngineError('backup-damaged', `range file ${n} does not follow the one before it`);
  }
}
