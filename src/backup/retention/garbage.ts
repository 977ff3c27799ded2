import { isEngineError } from '../../platform/errors.ts';
import { MAX_SEGMENT_VERSIONS } from '../format/change-segment.ts';
import { MAX_SEGMENT_ENTRIES } from '../format/log-segment.ts';
import { indexName, logName, packName } from '../format/object-name.ts';
import { getSegment, listStreams, type Stream } from '../log/segments.ts';
import { trustedOf, type BackupEntry } from '../repository/catalog.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import { readDestroyedStreams } from '../repository/shred.ts';
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

export interface Unneeded {
  readonly garbage: readonly Garbage[];
  /** Segments of the log that are damaged and end nobody knows where: they stay. */
  readonly damagedLog: readonly string[];
}

const NOTHING: Unneeded = { garbage: [], damagedLog: [] };

/** Packs, indexes and log segments that no backup needs which stays. Nothing where a manifest cannot be read: what it needs is not known then. */
export async function garbageOf(repository: Repository, { cluster, kept, others }: KeptBackups, signal: AbortSignal): Promise<Unneeded> {
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
  const log = await oldSegments(repository, cluster, kept, signal);
  return { garbage: [...garbage, ...log.garbage], damagedLog: log.damagedLog };
}

/** Segments whose versions all kept backups have already. A restore begins at a backup, so it never reads them. */
async function oldSegments(repository: Repository, cluster: string, kept: readonly BackupEntry[], signal: AbortSignal): Promise<Unneeded> {
  const points = trustedOf(kept).map(({ readVersion }) => Number(readVersion));
  if (points.length === 0) return NOTHING;
  const oldest = Math.min(...points);
  const streams = await listStreams(repository, cluster, signal);
  const destroyed = await readDestroyedStreams(repository, signal);
  const garbage: Garbage[] = [];
  const damagedLog: string[] = [];
  let versions = 0;
  for (const [n, { stream, begins }] of streams.entries()) {
    for (const [k, begin] of begins.entries()) {
      if (begin > oldest) continue;
      const next = begins[k + 1];
      // The last one of the newest stream is what that goes on from.
      if (next === undefined && n === streams.length - 1) continue;
      const name = logName(cluster, stream, begin);
      const end = next === undefined ? await endOf(repository, { cluster, stream, begin }, signal) : next - 1;
      // Nobody reads again what was under a key that was destroyed. Of what is damaged by accident nobody knows how far it leads: without it a restore would end before that, and not say so.
      if (end === 'damaged' && versions === 0) versions = await longestOf(repository, streams.at(-1)!, signal);
      if (end === 'damaged' && !destroyed.has(stream) && begin + versions > oldest) damagedLog.push(name);
      else if (end === 'damaged' || end <= oldest) {
        const object = await repository.store.stat(name, signal);
        if (object !== null) garbage.push(object);
      }
    }
  }
  return { garbage, damagedLog };
}

/** Versions that a segment can hold, by what the newest one is. */
async function longestOf(repository: Repository, { cluster, stream, begins }: Stream, signal: AbortSignal): Promise<number> {
  try {
    const newest = await getSegment(repository, { cluster, stream, begin: begins.at(-1)! }, signal);
    return 'changes' in newest ? MAX_SEGMENT_VERSIONS : MAX_SEGMENT_ENTRIES;
  } catch (error) {
    if (isEngineError(error, 'backup-damaged', 'key-service-failed')) return MAX_SEGMENT_VERSIONS;
    throw error;
  }
}

async function endOf(
  repository: Repository,
  place: { readonly cluster: string; readonly stream: string; readonly begin: number },
  signal: AbortSignal,
): Promise<number | 'damaged'> {
  try {
    return (await getSegment(repository, place, signal)).end;
  } catch (error) {
    if (isEngineError(error, 'backup-damaged')) return 'damaged';
    // Where a key could not be asked, it stays.
    if (isEngineError(error, 'key-service-failed')) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
