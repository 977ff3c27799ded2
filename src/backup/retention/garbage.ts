import { indexName, packName } from '../format/object-name.ts';
import type { BackupEntry } from '../repository/catalog.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import type { Garbage } from './marks.ts';
import { oldLogOf, type OldLog } from './old-log.ts';

export interface KeptBackups {
  readonly cluster: string;
  /** Of this cluster, which stay. */
  readonly kept: readonly BackupEntry[];
  /** Of other clusters: packs are shared by all clusters of a repository. */
  readonly others: readonly BackupEntry[];
}

const NOTHING: OldLog = { garbage: [], damagedLog: [], unclearLog: [] };

/** Packs, indexes and log segments that no backup needs which stays. Nothing where a manifest cannot be read: what it needs is not known then. */
export async function garbageOf(repository: Repository, { cluster, kept, others }: KeptBackups, signal: AbortSignal): Promise<OldLog> {
  const needed = new Set<string>();
  for (const { manifest } of [...kept, ...others]) {
    if (manifest === null) return NOTHING;
    for (const { id } of manifest.packs) needed.add(packName(id));
    for (const { id } of manifest.index) needed.add(indexName(BigInt(manifest.epoch), id));
  }
  const garbage: Garbage[] = [];
  for (const prefix of ['packs/', 'index/'])
    for await (const { name, generation, bytes } of repository.store.list(prefix, signalOf(signal)))
      if (!needed.has(name)) garbage.push({ name, generation, bytes });
  const log = await oldLogOf(repository, cluster, kept, signal);
  return { ...log, garbage: [...garbage, ...log.garbage] };
}
