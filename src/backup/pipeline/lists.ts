import { maxBlobBytes } from '../format/blob.ts';
import { blobId } from '../format/ids.ts';
import { encodeFileLists, type BackupFile } from '../repository/file-list.ts';
import type { KnownBlobs } from './known.ts';
import { maxPackBytes, PackBuilder, type PackSettings } from './pack-builder.ts';
import type { PackStore } from './pack-store.ts';

export interface StoredLists {
  /** Of all lists and edges, for looking up where they are. */
  readonly ids: readonly Buffer[];
  readonly lists: readonly string[];
  readonly edges: readonly string[];
}

/** Stores the lists of a backup's files, and their edges, as blobs; those that the repository has are left. */
export async function storeLists(
  files: readonly BackupFile[],
  settings: PackSettings,
  known: KnownBlobs,
  packs: Pick<PackStore, 'put'>,
): Promise<StoredLists> {
  const all = encodeFileLists(files);
  // The edges of files with long keys are larger than any range file.
  const largestBytes = maxBlobBytes(Math.max(0, ...all.flatMap(({ list, edges }) => [list.length, edges.length])));
  const builder = new PackBuilder(settings, largestBytes);
  const ids: Buffer[] = [];
  const send = async (): Promise<void> => {
    const { id, name, bytes, crc32c, blobs } = builder.seal(Buffer.allocUnsafeSlow(maxPackBytes(settings, largestBytes)));
    await packs.put({ id, name, crc32c, blobs, body: bytes });
  };
  const store = async (plain: Buffer): Promise<string> => {
    const id = blobId(settings.idKey, plain);
    ids.push(id);
    if (known.table.find(id) === null) builder.add(id, plain);
    if (builder.isFull) await send();
    return id.toString('hex');
  };
  const lists: string[] = [];
  const edges: string[] = [];
  for (const blobs of all) {
    lists.push(await store(blobs.list));
    edges.push(await store(blobs.edges));
  }
  if (!builder.isEmpty) await send();
  return { ids, lists, edges };
}
