import { isEngineError } from '../../platform/errors.ts';
import { MAX_SEGMENT_VERSIONS } from '../format/change-segment.ts';
import { MAX_SEGMENT_ENTRIES } from '../format/log-segment.ts';
import type { Manifest } from '../format/manifest.ts';
import { logName } from '../format/object-name.ts';
import { hasTailOf } from '../log/same-log.ts';
import { epochIn, getSegment, listStreams, type StoredSegment, type Stream } from '../log/segments.ts';
import { trustedOf, type BackupEntry } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import { readDestroyedStreams } from '../repository/shred.ts';
import type { Garbage } from './marks.ts';

/** What no restore reads any more of the log of a cluster, and what stays though perhaps none does. */
export interface OldLog {
  readonly garbage: readonly Garbage[];
  /** Segments that are damaged and end nobody knows where. */
  readonly damagedLog: readonly string[];
  /** Streams of which nobody can tell whether they lead on from a backup, each with why. */
  readonly unclearLog: readonly string[];
}

/** Where a kept backup ends. */
interface Point {
  readonly manifest: Manifest;
  readonly version: number;
  readonly epoch: number;
}

/**
 * A restore begins at a backup and goes on with a stream that has the backup's version under the backup's epoch. So of each stream nobody needs what comes before the first backup that it leads on from, and nothing of it where it leads on from none:
 * that is of a history, or a database, of which no backup is left, and its versions may be above all that there are now. What is not certain stays, and is told.
 */
export async function oldLogOf(
  repository: Repository,
  cluster: string,
  kept: readonly BackupEntry[],
  signal: AbortSignal,
): Promise<OldLog> {
  const found = { garbage: [] as Garbage[], damagedLog: [] as string[], unclearLog: [] as string[] };
  const points = trustedOf(kept)
    .map((manifest): Point => ({ manifest, version: Number(manifest.readVersion), epoch: Number(manifest.generation) }))
    .toSorted((a, b) => a.version - b.version);
  const streams = await listStreams(repository, cluster, signal);
  const newest = streams.at(-1);
  if (points.length === 0 || newest === undefined) return found;
  const destroyed = await readDestroyedStreams(repository, signal);
  const longest = await longestOf(repository, newest, signal);
  for (const stream of streams) {
    const reading: Reading = {
      begins: stream.begins,
      isDestroyed: destroyed.has(stream.stream),
      longest,
      read: readerOf(repository, stream, signal),
      hasTailOf: async (manifest, segment) => await hasTailOf(repository, stream, { manifest, segment }, signal),
    };
    // The backup that the newest one leads on from may be still to come.
    const { through, unclear } = stream === newest ? { through: points[0]!.version, unclear: null } : await leadOf(reading, points);
    if (unclear !== null) found.unclearLog.push(`log stream ${stream.stream} ${unclear}`);
    for (const [n, begin] of stream.begins.entries()) {
      // The last one of the newest stream is what that goes on from.
      if (begin > through || (stream === newest && n === stream.begins.length - 1)) break;
      const name = logName(cluster, stream.stream, begin);
      const end = await endOf(reading, n, through);
      if (end === 'damaged') found.damagedLog.push(name);
      const object = end === 'damaged' || end > through ? null : await repository.store.stat(name, signal);
      if (object !== null) found.garbage.push(object);
    }
  }
  return found;
}

/** The first backup that a stream leads on from: up to `through` nobody needs the stream. `unclear`: why it may not be so. */
async function leadOf(reading: Reading, points: readonly Point[]): Promise<{ readonly through: number; readonly unclear: string | null }> {
  for (const point of points) {
    const answer = await leadsOnFrom(reading, point);
    if (answer !== 'no') return { through: point.version, unclear: answer === 'yes' ? null : answer };
  }
  return { through: Number.POSITIVE_INFINITY, unclear: null };
}

/** As a restore finds it; why, where that cannot be told: what is gone may be put back. */
async function leadsOnFrom(reading: Reading, { manifest, version, epoch }: Point): Promise<string> {
  const { begins, read } = reading;
  const unclear = (why: string): string => `may lead on from backup ${manifest.backupId}: ${why}`;
  const n = begins.findLastIndex((begin) => begin <= version + 1);
  const segment = await read(Math.max(n, 0));
  const isLast = n === begins.length - 1;
  if ('problem' in segment) {
    const end = isLast && segment.isDamaged ? await endOf(reading, n, version) : null;
    if (end === 'damaged') return 'yes';
    return end !== null || (reading.isDestroyed && segment.isDamaged) ? 'no' : unclear(segment.problem);
  }
  // Epochs only grow along a stream.
  if (n < 0) return isFirst(segment) || epoch > segment.epochBefore ? 'no' : unclear('its first segments are gone');
  if (segment.end >= version) return epochIn(segment, version) === epoch && (await reading.hasTailOf(manifest, segment)) ? 'yes' : 'no';
  return isLast || epoch < segment.endEpoch ? 'no' : unclear(`what follows version ${segment.end} is gone`);
}

/** The last version of a segment; of one that is damaged `damaged` where that may be after `through`, else that. */
async function endOf({ begins, isDestroyed, longest, read }: Reading, n: number, through: number): Promise<number | 'damaged'> {
  const next = begins[n + 1];
  if (next !== undefined) return next - 1;
  const segment = await read(n);
  if ('end' in segment) return segment.end;
  // Where a key could not be asked, it stays.
  if (!segment.isDamaged) return Number.POSITIVE_INFINITY;
  // Nobody reads again what was under a key that was destroyed. Of what is damaged by accident nobody knows how far it leads: without it a restore would end before that, and not say so.
  return isDestroyed || begins[n]! + longest <= through ? through : 'damaged';
}

/** A stream, as far as it has to be read. */
interface Reading {
  readonly begins: readonly number[];
  /** Its key was, on purpose. */
  readonly isDestroyed: boolean;
  /** Versions that a segment can hold. */
  readonly longest: number;
  /** Its n-th segment. */
  readonly read: (n: number) => Promise<StoredSegment | Unread>;
  readonly hasTailOf: (manifest: Manifest, segment: StoredSegment) => Promise<boolean>;
}

interface Unread {
  readonly problem: string;
  /** Otherwise its key could not be had. */
  readonly isDamaged: boolean;
}

/** Keeps what it read last, which is asked for again where the next backup ends within it, and no more: all that backups of another history end within may be thousands of segments of megabytes. */
function readerOf(repository: Repository, { cluster, stream, begins }: Stream, signal: AbortSignal): Reading['read'] {
  let last: { readonly n: number; readonly segment: StoredSegment | Unread } | null = null;
  return async (n) => {
    if (last?.n !== n) last = { n, segment: await opened(repository, { cluster, stream, begin: begins[n]! }, signal) };
    return last.segment;
  };
}

async function opened(
  repository: Repository,
  place: { readonly cluster: string; readonly stream: string; readonly begin: number },
  signal: AbortSignal,
): Promise<StoredSegment | Unread> {
  try {
    return await getSegment(repository, place, signal);
  } catch (error) {
    if (!isEngineError(error, 'backup-damaged', 'key-service-failed')) throw error;
    return { problem: error.message, isDamaged: error.code === 'backup-damaged' };
  }
}

/** By what the newest one is. */
async function longestOf(repository: Repository, { cluster, stream, begins }: Stream, signal: AbortSignal): Promise<number> {
  const newest = await opened(repository, { cluster, stream, begin: begins.at(-1)! }, signal);
  return 'entries' in newest ? MAX_SEGMENT_ENTRIES : MAX_SEGMENT_VERSIONS;
}

/** Of its stream: nothing came before it. */
function isFirst({ previous }: StoredSegment): boolean {
  return previous.every((byte) => byte === 0);
}
