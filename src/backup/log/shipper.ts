import { randomBytes } from 'node:crypto';
import type { DataReader, PinnedData } from '../../database/data-reader.ts';
import type { Entry } from '../../database/database.ts';
import type { Clock } from '../../platform/clock.ts';
import { isEngineError } from '../../platform/errors.ts';
import { epochAt, type LogEnd } from '../../replication/epochs.ts';
import { backupId } from '../format/ids.ts';
import { CHAIN_HASH_BYTES, type LogEntry, type LogSegment } from '../format/log-segment.ts';
import { hashOfEntries, hasTail, TAIL_ENTRIES, type LogTail } from './log-tail.ts';
import type { Repository } from '../repository/repository.ts';
import { getSegment, listStreams, putSegment, SEGMENT_BYTES } from './segments.ts';

/** Where a backup was read. */
export type Anchor = LogEnd & { readonly tail?: LogTail | null };

/** Where a stream ends. */
export interface StreamHead {
  readonly stream: string;
  readonly end: number;
  readonly endEpoch: number;
  readonly hash: Buffer;
}

interface Head extends StreamHead {
  readonly entries?: readonly LogEntry[];
}

export type Shipped =
  /** `more`: a segment was full, there is more to ship. */
  | { readonly kind: 'shipped'; readonly head: StreamHead; readonly entries: number; readonly more: boolean }
  /** Nothing new here, or this copy is behind the stream. */
  | { readonly kind: 'idle'; readonly head: StreamHead | null }
  /** Nothing more is complete here: what was committed longer ago than this is in the repository (null: nothing is). `why`: what somebody may have to do something about. */
  | { readonly kind: 'waiting'; readonly behindMs: number | null; readonly why: string | null }
  /** Another program goes on with the stream. */
  | { readonly kind: 'overtaken' }
  /** The stream cannot be continued from this copy: a new one was begun, which needs a backup to begin from. */
  | { readonly kind: 'new-stream'; readonly head: StreamHead; readonly why: string };

/**
 * Uploads what was committed since the last time, as segments that continue each other by version and by hash. Several programs may do so: a segment's name is its first
 * version, so only one can continue a stream at a version, and the other goes on after it. Only what is committed and durable is read.
 */
export class LogShipper {
  readonly #current: (signal: AbortSignal) => Promise<Repository>;
  readonly #cluster: string;
  readonly #reader: DataReader;
  readonly #clock: Clock;
  readonly #anchors: (signal: AbortSignal) => Promise<readonly Anchor[]>;
  #repository: Repository | null = null;
  #head: Head | null = null;
  /** How far the stream went that this one cannot go on with; null: there is none. */
  #reachedBefore: number | null = null;

  /**
   * @param options.repository asked at each tick: another one than before (a new epoch key) is looked at anew
   * @param options.anchors where backups were read, the newest first: a new stream begins at one, if the log still reaches back so far
   */
  constructor(options: {
    readonly repository: (signal: AbortSignal) => Promise<Repository>;
    readonly cluster: string;
    readonly reader: DataReader;
    readonly clock: Clock;
    readonly anchors: (signal: AbortSignal) => Promise<readonly Anchor[]>;
  }) {
    this.#anchors = options.anchors;
    this.#current = options.repository;
    this.#cluster = options.cluster;
    this.#reader = options.reader;
    this.#clock = options.clock;
  }

  get head(): StreamHead | null {
    return this.#head;
  }

  /** Ships what there is, up to one segment. */
  async tick(signal: AbortSignal): Promise<Shipped> {
    const repository = await this.#current(signal);
    if (repository !== this.#repository) this.#head = null;
    this.#repository = repository;
    this.#head ??= await this.#findHead(repository, signal);
    const anchors = await this.#anchorsIfNeeded(signal);
    const taken = this.#take(anchors);
    if ('kind' in taken) return taken;
    const { head, segment, more } = taken;
    const stored = await putSegment(repository, { cluster: this.#cluster, stream: head.stream }, segment, signal);
    if (stored === 'taken') {
      this.#head = null;
      return { kind: 'overtaken' };
    }
    this.#head = stored;
    return { kind: 'shipped', head: stored, entries: segment.entries.length, more };
  }

  /** Copies what is next; the data are not pinned while it is uploaded. */
  #take(anchors: readonly Anchor[]): Shipped | { readonly head: StreamHead; readonly segment: LogSegment; readonly more: boolean } {
    const data = this.#reader.pin();
    // After: all that it sees was committed by then.
    const wallMs = this.#clock.wall().getTime();
    try {
      const why = this.#head === null ? 'there is none yet' : brokenBy(data, this.#head);
      if (why !== null) {
        const start = this.#startOf(data, anchors);
        const stream = backupId(wallMs, randomBytes(10));
        this.#head = { stream, end: start.index, endEpoch: start.epoch, hash: Buffer.alloc(CHAIN_HASH_BYTES) };
        return { kind: 'new-stream', head: this.#head, why };
      }
      const head = this.#head!;
      const end = data.identity.end.index;
      if (end <= head.end) return { kind: 'idle', head };
      const entries = upTo(data.entries(head.end + 1, end));
      const segment = { previous: head.hash, begin: head.end + 1, epochBefore: head.endEpoch, wallMs, entries };
      return { head, segment, more: head.end + entries.length < end };
    } finally {
      data.release();
    }
  }

  /** At a backup that the stream before this one had reached, so that no version between the two is in neither; else at the newest; else here. */
  #startOf(data: PinnedData, anchors: readonly Anchor[]): LogEnd {
    const possible = anchors.filter((anchor) => continues(data, anchor));
    const reached = this.#head?.end ?? this.#reachedBefore ?? -1;
    return possible.find(({ index }) => index <= reached) ?? possible[0] ?? data.identity.end;
  }

  /** Asked before the data are pinned: what the backup has read must be there then. */
  async #anchorsIfNeeded(signal: AbortSignal): Promise<readonly Anchor[]> {
    if (this.#head === null) return await this.#anchors(signal);
    const data = this.#reader.pin();
    const broken = brokenBy(data, this.#head);
    data.release();
    return broken === null ? [] : await this.#anchors(signal);
  }

  /** The end of the newest stream under the current key. Those under earlier ones are not continued: who destroys such a key destroys nothing that came after. */
  async #findHead(repository: Repository, signal: AbortSignal): Promise<Head | null> {
    const { kid } = repository.keys;
    this.#reachedBefore = null;
    for (const { stream, begins } of (await listStreams(repository, this.#cluster, signal)).toReversed()) {
      try {
        const head = await getSegment(repository, { cluster: this.#cluster, stream, begin: begins.at(-1)! }, signal);
        if (head.kid === kid) return head;
        this.#reachedBefore ??= head.end;
      } catch (error) {
        // Damaged, or its key is gone: it cannot be continued, and a restore that needs it will say what is wrong.
        if (!isEngineError(error, 'backup-damaged', 'key-service-failed')) throw error;
        if (error.code === 'backup-damaged') return null;
      }
    }
    return null;
  }
}

/** Why a stream cannot go on from this copy; null where it can, or where this copy only has not got so far. */
function brokenBy(data: PinnedData, head: Head): string | null {
  const { end, epochs, baseIndex } = data.identity;
  if (end.index < head.end) return end.epoch > head.endEpoch ? `what it has up to ${head.end} was rolled back` : null;
  if (epochAt(epochs, end.index, head.end) !== head.endEpoch) return `this history has another entry ${head.end}`;
  if (head.end < baseIndex) return `the log here begins after ${baseIndex}, the stream ends at ${head.end}`;
  return hasEntries(data, head) ? null : `this is another database: it has other entries up to ${head.end}`;
}

/** Whether the log here has what the stream ends with, as far as it reaches back. */
function hasEntries(data: PinnedData, { end, entries = [] }: Head): boolean {
  const from = Math.max(data.identity.baseIndex, end - Math.min(entries.length, TAIL_ENTRIES)) + 1;
  const stored = entries.slice(entries.length - (end - from + 1));
  return from > end || hashOfEntries(stored) === hashOfEntries(data.entries(from, end));
}

function continues(data: PinnedData, { epoch, index, tail = null }: Anchor): boolean {
  const { end, epochs, baseIndex } = data.identity;
  if (index < baseIndex || epochAt(epochs, end.index, index) !== epoch) return false;
  return tail === null || hasTail(data, index, tail) !== false;
}

function upTo(entries: Iterable<Entry>): readonly LogEntry[] {
  const taken: LogEntry[] = [];
  let bytes = 0;
  for (const { epoch, op, key, value } of entries) {
    taken.push({ epoch, op, key: Buffer.from(key), value: Buffer.from(value) });
    bytes += key.length + value.length + 16;
    if (bytes >= SEGMENT_BYTES) break;
  }
  return taken;
}
