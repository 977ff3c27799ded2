import { EngineError } from '../../platform/errors.ts';
import type { Manifest } from '../format/manifest.ts';
import { indexName, packName } from '../format/object-name.ts';
import type { BackupFile } from '../repository/file-list.ts';
import type { KnownBlobs } from './known.ts';
import type { StoredLists } from './lists.ts';
import type { PackStore } from './pack-store.ts';

type Refs = Pick<Manifest, 'packs' | 'index'>;

/** Packs and indexes that the backup needs, as its manifest names them. */
export async function refsOf(files: readonly BackupFile[], lists: StoredLists, known: KnownBlobs, packs: PackStore): Promise<Refs> {
  const needed = new Set(packs.packs.map(({ id }) => id));
  const index = new Map(packs.indexes.map((ref) => [ref.id, ref]));
  const reused = new Map<string, Manifest['packs'][number]>();
  for (const id of [...files.map((file) => file.id), ...lists.ids]) {
    const place = known.placeOf(id);
    const home = known.indexOf(id);
    if (place === null || home === null) continue;
    index.set(home.id, home);
    const pack = Buffer.from(place.pack).toString('hex');
    if (!needed.has(pack) && !reused.has(pack)) reused.set(pack, await known.pack(pack));
  }
  return { packs: [...packs.packs, ...reused.values()], index: [...index.values()] };
}

/** Whoever marked one did not see this backup, and may delete it before that is there to be seen. @throws EngineError backup-failed */
export function refuseMarked({ packs, index }: Refs, epoch: bigint, marked: ReadonlySet<string>): void {
  const names = [...packs.map(({ id }) => packName(id)), ...index.map(({ id }) => indexName(epoch, id))];
  const relied = names.find((name) => marked.has(name));
  if (relied !== undefined)
    throw new EngineError(
      'backup-failed',
      `${relied} was marked for deletion while this backup was made, which relies on it; the next one stores it again`,
    );
}
