import { EngineError } from '../../platform/errors.ts';
import type { Manifest } from '../format/manifest.ts';
import { listBackups } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import type { LogBatch, LogToApply } from '../restore/restore.ts';
import { getSegment, listStreams, type StoredSegment } from './segments.ts';

export type PointInTime = { readonly version: number } | { readonly timeMs: number };

/** What a restore to a point in time begins from. */
export interface PointPlan {
  readonly manifest: Manifest;
  /** null: the backup is just what was asked for. */
  readonly log: LogToApply | null;
  readonly version: number;
  /** When what is restored was known to be committed. */
  readonly wallMs: number;
}

/**
 * Finds the newest trusted backup before the point, and the log from there. To a time: the last version that was known to be committed by then.
 * @throws EngineError bad-request where no backup is old enough or the log does not reach the point, saying from when to when it does
 */
export async function planPointInTime(
  repository: Repository,
  cluster: string,
  point: PointInTime,
  signal: AbortSignal,
): Promise<PointPlan> {
  const usable = (await listBackups(repository, cluster, signal)).flatMap(({ manifest, problem }) =>
    manifest === null || problem !== null || manifest.kid !== repository.keys.kid ? [] : [manifest],
  );
  const candidates = usable.filter((manifest) =>
    'version' in point ? Number(manifest.readVersion) <= point.version : Date.parse(manifest.created) <= point.timeMs,
  );
  const streams = await listStreams(repository, cluster, signal);
  let problem = candidates.length === 0 ? 'no backup is that old' : 'no log';
  for (const manifest of candidates.toReversed()) {
    const exact = 'version' in point && Number(manifest.readVersion) === point.version;
    if (exact) return { manifest, log: null, version: point.version, wallMs: Date.parse(manifest.created) };
    for (const { stream, begins } of streams.toReversed()) {
      const walk = new StreamWalk(repository, { cluster, stream, begins });
      const found = await walk.find(manifest, point, signal);
      if (typeof found !== 'string') return { manifest, ...found };
      problem = found;
    }
    // Nothing was committed between the backup and the time, as far as is known.
    if (!('version' in point) && streams.length === 0)
      return { manifest, log: null, version: Number(manifest.readVersion), wallMs: Date.parse(manifest.created) };
  }
  throw new EngineError(
    'bad-request',
    `cannot restore to ${'version' in point ? `version ${point.version}` : new Date(point.timeMs).toISOString()}: ${problem}`,
  );
}

interface Stream {
  readonly cluster: string;
  readonly stream: string;
  readonly begins: readonly number[];
}

class StreamWalk {
  readonly #repository: Repository;
  readonly #stream: Stream;

  constructor(repository: Repository, stream: Stream) {
    this.#repository = repository;
    this.#stream = stream;
  }

  /** The log from the backup to the point, or why this stream has none. */
  async find(manifest: Manifest, point: PointInTime, signal: AbortSignal): Promise<Omit<PointPlan, 'manifest'> | string> {
    const base = Number(manifest.readVersion);
    let version = base;
    let wallMs = Date.parse(manifest.created);
    for await (const segment of this.#segmentsAfter(base, Number(manifest.generation), signal)) {
      if (typeof segment === 'string') return segment;
      if ('timeMs' in point && segment.wallMs > point.timeMs) break;
      version = 'version' in point ? Math.min(point.version, segment.end) : segment.end;
      wallMs = segment.wallMs;
      if ('version' in point && segment.end >= point.version) break;
    }
    if ('version' in point && version < point.version) return `the log of stream ${this.#stream.stream} ends at version ${version}`;
    if (version === base) return { log: null, version, wallMs };
    const { stream } = this.#stream;
    return {
      version,
      wallMs,
      log: { stream, through: version, batches: (from, either) => this.#batches(manifest, { from, through: version }, either) },
    };
  }

  /** Segments that hold what is after `version`, each checked to follow the one before; a text where the stream does not continue this history. */
  async *#segmentsAfter(version: number, epoch: number, signal: AbortSignal): AsyncGenerator<StoredSegment | string> {
    const { cluster, stream, begins } = this.#stream;
    const first = begins.findLastIndex((begin) => begin <= version + 1);
    if (first < 0) {
      yield `stream ${stream} begins at version ${begins[0]}, after the backup's ${version}`;
      return;
    }
    let before: StoredSegment | null = null;
    for (const begin of begins.slice(first)) {
      const segment: StoredSegment = await getSegment(this.#repository, { cluster, stream, begin }, signal);
      if (before === null) {
        const epochThere = begin === version + 1 ? segment.epochBefore : segment.entries[version - begin]?.epoch;
        if (segment.end >= version && epochThere !== epoch) {
          yield `stream ${stream} is of another history than the backup at version ${version}`;
          return;
        }
      } else if (segment.begin !== before.end + 1 || !before.hash.equals(segment.previous)) {
        throw new EngineError('backup-damaged', `log stream ${stream}: the segment of version ${begin} does not follow the one before it`);
      }
      before = segment;
      if (segment.end > version) yield segment;
    }
  }

  async *#batches(
    manifest: Manifest,
    { from, through }: { readonly from: number; readonly through: number },
    signal: AbortSignal,
  ): AsyncGenerator<LogBatch> {
    for await (const segment of this.#segmentsAfter(Number(manifest.readVersion), Number(manifest.generation), signal)) {
      if (typeof segment === 'string') throw new EngineError('backup-damaged', segment);
      const begin = Math.max(from + 1, segment.begin);
      const end = Math.min(through, segment.end);
      if (begin <= end) {
        const entries = segment.entries.slice(begin - segment.begin, end - segment.begin + 1);
        const rows = entries.flatMap(({ op, key, value }) => (op === 'noop' ? [] : [{ key, value: op === 'put' ? value : null }]));
        yield { end: { epoch: entries.at(-1)!.epoch, index: end }, rows };
      }
      if (segment.end >= through) return;
    }
  }
}
