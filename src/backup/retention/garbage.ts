import { isEngineError } from '../../platform/errors.ts';
import { indexName, logName, packName } from '../format/object-name.ts';
import { getSegment, listStreams } from '../log/segments.ts';
import { trustedOf, type BackupEntry } from '../repository/catalog.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import type { MarkedObject } from './marks.ts';

export interface Garbage extends MarkedObject {
  readonly bytes: number;
}

export interface KeptBackups {
  readonly cluster: string;
  /** Of this cluster, which stay. */
  readonly kept: readonly BackupEntry[];
  /** Of other clusters: packs are shared by all clusters of a repository. */
  readonly others: readonly BackupEntry[];
}

/** Packs, indexes and log segments that no backup needs which stays. Nothing where a manifest cannot be read: what it needs is not known then. */
export async function garbageOf(
  repository: Repository,
  { cluster, kept, others }: KeptBackups,
  signal: AbortSignal,
): Promise<readonly Garbage[]> {
  const needed = new Set<string>();
  for (const { manifest } of [...kept, ...others]) {
    if (manifest === null) return [];
    for (const { id } of manifest.packs) needed.add(packName(id));
    for (const { id } of manifest.index) needed.add(indexName(BigInt(manifest.epoch), id));
  }
  const garbage: Garbage[] = [];
  for (const prefix of ['packs/', 'index/'])
    for await (const { name, generation, bytes } of repository.store.list(prefix, signalOf(signal)))
      if (!needed.has(name)) garbage.push({ name, generation, bytes });
  return [...garbage, ...(await oldSegments(repository, cluster, kept, signal))];
}

/** Segments whose versions all kept backups have already. A restore begins at a backup, so it never reads them. */
async function oldSegments(
  repository: Repository,
  cluster: string,
  kept: readonly BackupEntry[],
  signal: AbortSignal,
): Promise<readonly Garbage[]> {
  const versions = trustedOf(kept).map(({ readVersion }) => Number(readVersion));
  if (versions.length === 0) return [];
  const oldest = Math.min(...versions);
  const streams = await listStreams(repository, cluster, signal);
  const garbage: Garbage[] = [];
  for (const [n, { stream, begins }] of streams.entries()) {
    for (const [k, begin] of begins.entries()) {
      const next = begins[k + 1];
      // The last one of the newest stream is what that goes on from.
      if (next === undefined && n === streams.length - 1) continue;
      const end = next === undefined ? await endOf(repository, { cluster, stream, begin }, signal) : next - 1;
      if (end > oldest) continue;
      const object = await repository.store.stat(logName(cluster, stream, begin), signal);
      if (object !== null) garbage.push(object);
    }
  }
  return garbage;
}

async function endOf(
  repository: Repository,
  place: { readonly cluster: string; readonly stream: string; readonly begin: number },
  signal: AbortSignal,
): Promise<number> {
  try {
    return (await getSegment(repository, place, signal)).end;
  } catch (error) {
    // No key that there is opens it, so nobody reads it again; where a key could not be asked, it stays.
    if (isEngineError(error, 'backup-damaged')) return place.begin;
    if (isEngineError(error, 'key-service-failed')) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
