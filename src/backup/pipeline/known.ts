import { crc32c } from '@node-rs/crc32';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import type { BlobIndex, BlobPlace } from '../format/blob-index.ts';
import type { Manifest } from '../format/manifest.ts';
import { packName } from '../format/object-name.ts';
import { MAX_INDEX_BYTES, readIndex } from '../repository/blob-reader.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import { BlobTable } from './blob-table.ts';

export type StoredRef = Manifest['packs'][number];

/** What is in the repository under the current epoch key, committed or left by a run that was cut off. */
export interface KnownBlobs {
  readonly table: BlobTable;
  placeOf(id: Uint8Array): BlobPlace | null;
  /** The index that names the place of a blob. */
  indexOf(id: Uint8Array): StoredRef | null;
  /** A pack as a manifest names it. */
  pack(id: string, signal?: AbortSignal): Promise<StoredRef>;
}

interface Listed {
  readonly bytes: number;
  readonly crc32c: number | null;
  readonly generation: string;
}

/**
 * Reads all indexes of the epoch. A blob counts only where its pack is there; `excluded` names packs and indexes that nobody may rely on: marked for deletion, or damaged.
 * @param stated backups that say how long these are, and with which checksums: what is not so is damaged, and a backup that relied on it would be signed over the damage
 */
export async function loadKnown(
  repository: Repository,
  stated: readonly Pick<Manifest, 'packs' | 'index'>[],
  excluded: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<KnownBlobs> {
  const packs = await listById(repository, 'packs/', excluded, signal);
  const listed = await listById(repository, `index/${repository.epoch}/`, excluded, signal);
  const checksums = new Map<string, StoredRef>();
  for (const manifest of stated)
    for (const ref of [...manifest.packs, ...manifest.index]) {
      if (!isAsStated(packs.get(ref.id), ref)) packs.delete(ref.id);
      if (!isAsStated(listed.get(ref.id), ref)) listed.delete(ref.id);
      checksums.set(ref.id, ref);
    }
  const indexes: { readonly id: string; readonly index: BlobIndex }[] = [];
  for (const [id, { bytes }] of listed) {
    const index = await soundIndex(repository, { id, bytes }, signal);
    if (index !== null) indexes.push({ id, index });
  }
  const table = BlobTable.create(indexes.reduce((sum, { index }) => sum + index.count, 0));
  for (const [number, { index }] of indexes.entries()) {
    for (let n = 0; n < index.count; n++) {
      const place = index.at(n);
      if (packs.has(Buffer.from(place.pack).toString('hex'))) table.add(place.blob, { index: number, n });
    }
  }
  const refOf = async (id: string, name: string, known: Listed, maxBytes: number): Promise<StoredRef> => {
    const before = checksums.get(id);
    const sum = known.crc32c ?? (before?.bytes === known.bytes ? before.crc32c : await checksumOf(repository, name, maxBytes, signal));
    return { id, bytes: known.bytes, crc32c: sum, generation: known.generation };
  };
  const indexRefs = new Map<number, StoredRef>();
  for (const [number, { id }] of indexes.entries())
    indexRefs.set(number, await refOf(id, `index/${repository.epoch}/${id}`, listed.get(id)!, MAX_INDEX_BYTES));
  return {
    table,
    placeOf: (id) => {
      const entry = table.find(id);
      return entry === null ? null : indexes[entry.index]!.index.at(entry.n);
    },
    indexOf: (id) => indexRefs.get(table.find(id)?.index ?? -1) ?? null,
    pack: async (id) => await refOf(id, packName(id), packs.get(id)!, packs.get(id)!.bytes),
  };
}

function isAsStated(object: Listed | undefined, { bytes, crc32c: sum }: StoredRef): boolean {
  return object === undefined || (object.bytes === bytes && (object.crc32c === null || object.crc32c === sum));
}

/** null where it is damaged: what it names is then stored again, which mends that for the backups to come. */
async function soundIndex(
  repository: Repository,
  { id, bytes }: { readonly id: string; readonly bytes: number },
  signal: AbortSignal | undefined,
): Promise<BlobIndex | null> {
  try {
    return await readIndex(repository, { keys: repository.keys, epoch: repository.epoch, id, bytes }, signal);
  } catch (error) {
    if (isEngineError(error, 'backup-damaged')) return null;
    throw error;
  }
}

async function listById(
  repository: Repository,
  prefix: string,
  excluded: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<Map<string, Listed>> {
  const found = new Map<string, Listed>();
  for await (const { name, bytes, crc32c: sum, generation } of repository.store.list(prefix, signalOf(signal)))
    if (!excluded.has(name)) found.set(name.slice(name.lastIndexOf('/') + 1), { bytes, crc32c: sum, generation });
  return found;
}

async function checksumOf({ store }: Repository, name: string, maxBytes: number, signal: AbortSignal | undefined): Promise<number> {
  const found = await store.get(name, { maxBytes, ...signalOf(signal) });
  if (found.outcome === 'not-found') throw new EngineError('backup-failed', `${name} was deleted while a backup wanted to use it`);
  return crc32c(found.body);
}
