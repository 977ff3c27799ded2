import { EngineError, isEngineError } from '../../platform/errors.ts';
import type { Manifest } from '../format/manifest.ts';
import { listBackups, trustedOf, type BackupEntry } from '../repository/catalog.ts';
import { after, refusedOf, type PassedOverBackup } from '../repository/choose.ts';
import type { Repository } from '../repository/repository.ts';
import { readDestroyedStreams } from '../repository/shred.ts';
import type { LogBatch, LogToApply } from './log-to-apply.ts';
import { madeBy } from './made-by.ts';
import { hasTailOf } from './same-log.ts';
import { epochIn, follows, getSegment, listStreams, logChangesIn, type StoredSegment, type Stream } from './segments.ts';

export type PointInTime = { readonly version: number } | { readonly timeMs: number };

/** What a restore to a point in time begins from. */
export interface PointPlan {
  readonly manifest: Manifest;
  /** null: the backup is just what was asked for. */
  readonly log: LogToApply | null;
  readonly version: number;
  /** When what is restored was known to be committed; nothing later, up to the time that was asked for, is in the repository, but what may be in what was passed over. */
  readonly wallMs: number;
  /** Streams of the log that no one can read any more: they were under an epoch key that was destroyed on purpose. */
  readonly passedOver: readonly string[];
  /** Backups between the one that is used and the point that are not to be trusted. */
  readonly passedOverBackups: readonly PassedOverBackup[];
}

/**
 * Finds the trusted backup and the log that lead to the point. To a time: as far as anything in the repository reaches by then, which may be earlier; of histories that parted the newest.
 * @param nowMs a backup of a later time was made while a clock was wrong, and tells nothing of those after it
 * @throws EngineError bad-request where no backup is old enough or no log reaches the version, saying how far they do; backup-damaged where a stream does not open that nobody destroyed
 */
export async function planPointInTime(
  repository: Repository,
  cluster: string,
  point: PointInTime,
  signal: AbortSignal,
  nowMs = Number.POSITIVE_INFINITY,
): Promise<PointPlan> {
  const timeMs = 'timeMs' in point ? point.timeMs : null;
  const { entries, unsure } = madeBy(await listBackups(repository, cluster, signal), timeMs, nowMs);
  const streams = (await listStreams(repository, cluster, signal)).toReversed();
  const isPast = timeMs !== null && timeMs < nowMs;
  const walks = streams.map((stream) => new StreamWalk(repository, stream, isPast));
  const plan = await reach(repository, { walks, entries, point }, signal);
  const newer = after(entries, plan.manifest.backupId);
  // When one was made that does not open, only its neighbours tell.
  const later = newer.findIndex((entry) => entry.manifest !== null && entry.problem === null && !isBy(entry.manifest, point));
  const refused = await refusedOf(repository, later < 0 ? newer : newer.slice(0, later), signal);
  return { ...plan, passedOverBackups: refused.map((each) => (unsure.has(each.backupId) ? { ...each, setAside: false } : each)) };
}

function isBy({ readVersion, created }: Manifest, point: PointInTime): boolean {
  return 'version' in point ? Number(readVersion) <= point.version : Date.parse(created) <= point.timeMs;
}

async function reach(
  repository: Repository,
  {
    walks,
    entries,
    point,
  }: { readonly walks: readonly StreamWalk[]; readonly entries: readonly BackupEntry[]; readonly point: PointInTime },
  signal: AbortSignal,
): Promise<Omit<PointPlan, 'passedOverBackups'>> {
  const candidates = trustedOf(entries).filter((manifest) => isBy(manifest, point));
  const destroyed = await readDestroyedStreams(repository, signal);
  const passedOver: string[] = [];
  let problem = candidates.length === 0 ? `no backup is that old${oldestText(entries)}` : 'no log';
  let best: Reached | null = null;
  const walked = new Set<string>();
  for (const manifest of candidates.toReversed()) {
    const plain = ownPoint(manifest);
    if ('version' in point && plain.version === point.version) return { ...plain, passedOver };
    if (!('version' in point)) best = further(best, plain);
    for (const walk of walks) {
      const { stream } = walk;
      // From an older backup it leads to the same end.
      if (walked.has(stream)) continue;
      const found = await findIn(walk, destroyed, { manifest, point }, signal);
      if (typeof found === 'string') {
        problem = found;
        // What there was by then is in the newer backup, of the database that took its place.
        if (walk.isOfBefore && !('version' in point)) walked.add(stream);
        continue;
      }
      walked.add(stream);
      if (found === null) passedOver.push(stream);
      else if (!('version' in point)) best = further(best, found);
      else if (found.version === point.version) return { ...found, passedOver };
      else problem = `the log of stream ${stream} ends at version ${found.version}`;
    }
  }
  if (best !== null) return { ...best, passedOver };
  const lost = passedOver.length === 0 ? '' : `; under an epoch key that was destroyed: the log of ${passedOver.join(', ')}`;
  const untrusted = entries.flatMap(({ backupId, problem: refused }) => (refused === null ? [] : [`${backupId} (${refused})`]));
  throw new EngineError(
    'bad-request',
    `cannot restore to ${'version' in point ? `version ${point.version}` : new Date(point.timeMs).toISOString()}: ${problem}${lost}${untrusted.length === 0 ? '' : `; not to be trusted: backup ${untrusted.join(', ')}`}`,
  );
}

function oldestText(entries: readonly BackupEntry[]): string {
  const oldest = trustedOf(entries)[0];
  return oldest === undefined ? '' : ` (the oldest is of version ${oldest.readVersion}, ${oldest.created})`;
}

interface Reached extends Omit<PointPlan, 'passedOver' | 'passedOverBackups'> {
  /** Of the last entry. */
  readonly epoch: number;
}

function ownPoint(manifest: Manifest): Reached {
  const { readVersion, generation, created } = manifest;
  return { manifest, log: null, version: Number(readVersion), epoch: Number(generation), wallMs: Date.parse(created) };
}

/** As logs are compared: the history of the higher epoch, in one history the higher version. Of equals the first, which is from the newer backup. */
function further(a: Reached | null, b: Reached): Reached {
  if (a === null || b.epoch > a.epoch || (b.epoch === a.epoch && b.version > a.version)) return b;
  return a;
}

/** As StreamWalk finds it; null where its key was destroyed on purpose: it leads nowhere any more. One that is damaged is never passed over: it may lead further than what is found without it. */
async function findIn(
  walk: StreamWalk,
  destroyed: ReadonlySet<string>,
  { manifest, point }: { readonly manifest: Manifest; readonly point: PointInTime },
  signal: AbortSignal,
): Promise<Reached | string | null> {
  try {
    return await walk.find(manifest, point, signal);
  } catch (error) {
    if (!isEngineError(error, 'backup-damaged')) throw error;
    if (destroyed.has(walk.stream)) return null;
    throw new EngineError(
      'backup-damaged',
      `${error.message}; this log may lead further than what is found without it: an earlier time, or --to-version, may do without`,
      error,
    );
  }
}

class StreamWalk {
  readonly #repository: Repository;
  readonly #stream: Stream;
  readonly #isPast: boolean;
  /** Its last version, once that was read. */
  #end: number | null = null;
  #isOfBefore = false;

  /** @param isPast whether the time that is asked for is over: what is stored may be of later */
  constructor(repository: Repository, stream: Stream, isPast: boolean) {
    this.#repository = repository;
    this.#stream = stream;
    this.#isPast = isPast;
  }

  get stream(): string {
    return this.#stream.stream;
  }

  /** It is of a database before that of a backup that was asked for: no backup is made of one that lacks what an earlier backup has. */
  get isOfBefore(): boolean {
    return this.#isOfBefore;
  }

  /** The log from the backup to the point or as far as it goes, or why this stream does not continue the backup. */
  async find(manifest: Manifest, point: PointInTime, signal: AbortSignal): Promise<Reached | string> {
    let reached = ownPoint(manifest);
    const base = reached.version;
    let latestMs = 0;
    for await (const segment of this.#segmentsAfter(manifest, signal)) {
      if (typeof segment === 'string') return segment;
      if ('timeMs' in point && segment.wallMs > point.timeMs) break;
      // A clock was behind: when that was there the next one tells of which nothing is wrong.
      if (this.#isPast && segment.wallMs < latestMs) continue;
      latestMs = segment.wallMs;
      const version = 'version' in point ? Math.min(point.version, segment.end) : segment.end;
      reached = { ...reached, version, epoch: epochIn(segment, version)!, wallMs: segment.wallMs };
      if ('version' in point && segment.end >= point.version) break;
    }
    const { version } = reached;
    if (version === base) return reached;
    const { stream } = this.#stream;
    return {
      ...reached,
      log: { stream, through: version, batches: (from, either) => this.#batches(manifest, { from, through: version }, either) },
    };
  }

  /** Segments that hold what is after `version`, each checked to follow the one before; a text where the stream does not continue this history. */
  async *#segmentsAfter(manifest: Manifest, signal: AbortSignal): AsyncGenerator<StoredSegment | string> {
    const { version, epoch } = ownPoint(manifest);
    const { cluster, stream, begins } = this.#stream;
    const first = begins.findLastIndex((begin) => begin <= version + 1);
    if (first < 0) {
      yield `stream ${stream} begins at version ${begins[0]}, after the backup's ${version}`;
      return;
    }
    let before: StoredSegment | null = null;
    const endsBefore = (end: number): string => `stream ${stream} ends at version ${end}, before the backup's ${version}`;
    if (this.#end !== null && this.#end < version) {
      yield endsBefore(this.#end);
      return;
    }
    for (const begin of begins.slice(first)) {
      const segment: StoredSegment = await getSegment(this.#repository, { cluster, stream, begin }, signal);
      if (before === null) {
        if (segment.end >= version && epochIn(segment, version) !== epoch) {
          yield `stream ${stream} is of another history than the backup at version ${version}`;
          return;
        }
        if (segment.end >= version && !(await hasTailOf(this.#repository, this.#stream, { manifest, segment }, signal))) {
          this.#isOfBefore = true;
          yield `stream ${stream} is of another database than the backup at version ${version}`;
          return;
        }
      } else if (!follows(segment, before)) {
        throw new EngineError('backup-damaged', `log stream ${stream}: the segment of version ${begin} does not follow the one before it`);
      }
      before = segment;
      if (segment.end > version) yield segment;
    }
    this.#end = before?.end ?? null;
    // Whether it is of the backup's history it does not say; from an older backup it may lead on.
    if (before !== null && before.end < version) yield endsBefore(before.end);
  }

  async *#batches(
    manifest: Manifest,
    { from, through }: { readonly from: number; readonly through: number },
    signal: AbortSignal,
  ): AsyncGenerator<LogBatch> {
    for await (const segment of this.#segmentsAfter(manifest, signal)) {
      if (typeof segment === 'string') throw new EngineError('backup-damaged', segment);
      const begin = Math.max(from + 1, segment.begin);
      const end = Math.min(through, segment.end);
      if (begin <= end) {
        yield { end: { epoch: epochIn(segment, end)!, index: end }, changes: logChangesIn(segment, begin, end) };
      }
      if (segment.end >= through) return;
    }
  }
}
