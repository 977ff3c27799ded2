import { isEngineError } from '../../platform/errors.ts';
import type { Manifest } from '../format/manifest.ts';
import { logName } from '../format/object-name.ts';
import { listBackups, trustedOf } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import { readDestroyedStreams } from '../repository/shred.ts';
import { hasTailOf } from './same-log.ts';
import { epochIn, follows, getSegment, listStreams, type StoredSegment, type Stream } from './segments.ts';

export interface LogPoint {
  readonly version: number;
  /** All of it was committed by then. */
  readonly time: string;
}

/** Every version from that of the backup on can be restored to, up to the last. */
export interface LogWindow {
  readonly stream: string;
  readonly backupId: string;
  readonly from: LogPoint;
  readonly to: LogPoint;
}

export interface LogDescription {
  readonly windows: readonly LogWindow[];
  /** What is damaged, each with its object: no window goes over it. */
  readonly problems: readonly string[];
  /** Streams under epoch keys that were destroyed on purpose. */
  readonly destroyed: readonly string[];
}

/** Where the log of the cluster leads from its trusted backups. All of it is read: a segment that was not opened is not said to be there. @throws EngineError key-service-failed */
export async function describeLog(repository: Repository, cluster: string, signal: AbortSignal): Promise<LogDescription> {
  const backups = trustedOf(await listBackups(repository, cluster, signal)).toSorted(
    (a, b) => Number(a.readVersion) - Number(b.readVersion),
  );
  const destroyed = await readDestroyedStreams(repository, signal);
  const streams = await listStreams(repository, cluster, signal);
  const found = { windows: [] as LogWindow[], problems: [] as string[] };
  for (const stream of streams) {
    if (destroyed.has(stream.stream)) continue;
    await describeStream(repository, { stream, backups }, found, signal);
  }
  return { ...found, destroyed: streams.map(({ stream }) => stream).filter((stream) => destroyed.has(stream)) };
}

async function describeStream(
  repository: Repository,
  { stream: { cluster, stream, begins }, backups }: { readonly stream: Stream; readonly backups: readonly Manifest[] },
  found: { readonly windows: LogWindow[]; readonly problems: string[] },
  signal: AbortSignal,
): Promise<void> {
  let before: StoredSegment | null = null;
  let base: Manifest | undefined;
  const endPiece = (): void => {
    if (base !== undefined && before !== null && before.end > Number(base.readVersion)) found.windows.push(windowOf(base, before));
    [before, base] = [null, undefined];
  };
  for (const begin of begins) {
    signal.throwIfAborted();
    try {
      const segment = await getSegment(repository, { cluster, stream, begin }, signal);
      if (before !== null && !follows(segment, before)) {
        found.problems.push(`${logName(cluster, stream, begin)} does not follow the one before it`);
        endPiece();
      }
      base ??= await baseOf(repository, { stream: { cluster, stream, begins }, backups }, segment, signal);
      before = segment;
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged')) throw error;
      found.problems.push(error.message);
      endPiece();
    }
  }
  endPiece();
}

/** The first backup that the stream leads on from in this segment. */
async function baseOf(
  repository: Repository,
  { stream, backups }: { readonly stream: Stream; readonly backups: readonly Manifest[] },
  segment: StoredSegment,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  for (const manifest of backups.filter((backup) => isWithin(backup, segment)))
    if (await hasTailOf(repository, stream, { manifest, segment }, signal)) return manifest;
  return undefined;
}

function isWithin({ readVersion, generation }: Manifest, segment: StoredSegment): boolean {
  const version = Number(readVersion);
  return version >= segment.begin - 1 && version <= segment.end && epochIn(segment, version) === Number(generation);
}

function windowOf({ backupId, readVersion, created }: Manifest, { stream, end, wallMs }: StoredSegment): LogWindow {
  return {
    stream,
    backupId,
    from: { version: Number(readVersion), time: created },
    to: { version: end, time: new Date(wallMs).toISOString() },
  };
}
