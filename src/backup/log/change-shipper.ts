import { randomBytes } from 'node:crypto';
import type { Captured, ChangeLog } from '../../database/change-log.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { changeBytes, type Change, type ChangeSegment } from '../format/change-segment.ts';
import { backupId } from '../format/ids.ts';
import { CHAIN_HASH_BYTES } from '../format/log-segment.ts';
import type { Repository } from '../repository/repository.ts';
import { getSegment, listStreams, putSegment, SEGMENT_BYTES, type Stream } from './segments.ts';
import type { Shipped, StreamHead } from './shipper.ts';

interface Head extends StreamHead {
  /** First version of the stream, and the epoch before it. */
  readonly begin: number;
  readonly beginEpoch: number;
}

/**
 * Stores what a database over the network was captured to have changed, as segments of a stream that continue each other by version and by hash. What is stored is read back before the capture may forget
 * it. Where the capture does not lead on from the stream, a new one begins, which needs a backup of its own.
 */
export class ChangeShipper {
  readonly #current: (signal: AbortSignal) => Promise<Repository>;
  readonly #cluster: string;
  readonly #source: ChangeLog;
  readonly #clock: Clock;
  #repository: Repository | null = null;
  #head: Head | null = null;
  #isLookedFor = false;
  #why = 'there is none yet';
  /** Wall time of what was stored last. */
  #storedToMs: number | null = null;

  /** @param options.repository asked at each tick: another one than before (a new epoch key) is looked at anew */
  constructor(options: {
    readonly repository: (signal: AbortSignal) => Promise<Repository>;
    readonly cluster: string;
    readonly source: ChangeLog;
    readonly clock: Clock;
  }) {
    this.#current = options.repository;
    this.#cluster = options.cluster;
    this.#source = options.source;
    this.#clock = options.clock;
  }

  get head(): StreamHead | null {
    return this.#head;
  }

  /** Whether a backup ends before the stream begins, or is of a history before it: what is captured now does not continue it. */
  hasParted({ index, epoch }: LogEnd): boolean {
    return this.#head !== null && (index < this.#head.begin - 1 || epoch < this.#head.beginEpoch);
  }

  /** Stores the next that is complete. */
  async tick(signal: AbortSignal): Promise<Shipped> {
    const repository = await this.#current(signal);
    if (repository !== this.#repository) {
      this.#head = null;
      this.#isLookedFor = false;
    }
    this.#repository = repository;
    if (!this.#isLookedFor) this.#head = await this.#findHead(repository, signal);
    this.#isLookedFor = true;
    if (this.#head === null) return await this.#begin(signal);
    const step = await this.#source.after(this.#head.end, this.#head.endEpoch, signal);
    if (step.kind === 'waiting') return this.#waiting(null);
    if (step.kind === 'lost') return await this.#over(step.why, signal);
    return await this.#store(repository, step.captured, step.broken, signal);
  }

  #waiting(why: string | null): Shipped {
    return { kind: 'waiting', behindMs: this.#storedToMs === null ? null : this.#clock.wall().getTime() - this.#storedToMs, why };
  }

  async #begin(signal: AbortSignal): Promise<Shipped> {
    const begun = await this.#source.begin(signal);
    if (typeof begun === 'string') return this.#waiting(`no stream (${this.#why}): ${begun}`);
    const stream = backupId(this.#clock.wall().getTime(), randomBytes(10));
    const { version: end, epoch: endEpoch } = begun;
    this.#head = { stream, begin: end + 1, beginEpoch: endEpoch, end, endEpoch, hash: Buffer.alloc(CHAIN_HASH_BYTES) };
    return { kind: 'new-stream', head: this.#head, why: this.#why };
  }

  /** The stream ends here. */
  async #over(why: string, signal: AbortSignal): Promise<Shipped> {
    this.#head = null;
    this.#why = why;
    return await this.#begin(signal);
  }

  async #store(repository: Repository, captured: Captured, broken: string | null, signal: AbortSignal): Promise<Shipped> {
    const from = this.#head!;
    if (!(await this.#isAsStored(repository, from, captured, signal)))
      return await this.#over(
        `what was captured of versions ${captured.begin} to ${Math.min(captured.end, from.end)} is not what was stored: the database went back (a forced recovery)`,
        signal,
      );
    for (const segment of segmentsOf(captured, from)) {
      const stored = await this.#put(repository, segment, signal);
      if (stored === 'overtaken') return { kind: 'overtaken' };
    }
    await this.#source.done();
    if (broken !== null) return await this.#over(broken, signal);
    return { kind: 'shipped', head: this.#head!, entries: captured.changes.length, more: true };
  }

  async #put(repository: Repository, segment: Omit<ChangeSegment, 'previous'>, signal: AbortSignal): Promise<'stored' | 'overtaken'> {
    const from = this.#head!;
    const { stream, hash: previous } = from;
    const place = { cluster: this.#cluster, stream };
    const stored = await putSegment(repository, place, { ...segment, previous }, signal);
    if (stored === 'taken') {
      // By this program, whose answer got lost, or another; either way what is there is looked at anew.
      this.#isLookedFor = false;
      this.#head = null;
      return 'overtaken';
    }
    const { hash } = await getSegment(repository, { ...place, begin: segment.begin }, signal);
    if (!hash.equals(stored.hash))
      throw new EngineError('backup-damaged', `log stream ${stream}: the segment of version ${segment.begin} is not as it was stored`);
    this.#head = { ...from, end: stored.end, endEpoch: stored.endEpoch, hash };
    this.#storedToMs = segment.wallMs;
    return 'stored';
  }

  /** What was captured again of versions that are stored: after a restart of this program, or where two agents did the same work. */
  async #isAsStored(repository: Repository, head: Head, { begin, end, again }: Captured, signal: AbortSignal): Promise<boolean> {
    const [from, through] = [Math.max(begin, head.begin), Math.min(end, head.end)];
    if (from > through) return true;
    const isMeant = ({ version, op }: Change): boolean => version >= from && version <= through && op !== 'noop';
    const streams = await listStreams(repository, this.#cluster, signal);
    const begins = streams.find(({ stream }) => stream === head.stream)?.begins ?? [];
    const stored: Change[] = [];
    for (const at of begins.slice(
      Math.max(
        0,
        begins.findLastIndex((first) => first <= from),
      ),
    )) {
      if (at > through) break;
      const segment = await getSegment(repository, { cluster: this.#cluster, stream: head.stream, begin: at }, signal);
      if ('changes' in segment) stored.push(...segment.changes);
    }
    return textOf(stored.filter(isMeant)) === textOf(again.filter(isMeant));
  }

  /** The end of the newest stream, if it is under the key of now. */
  async #findHead(repository: Repository, signal: AbortSignal): Promise<Head | null> {
    const newest = (await listStreams(repository, this.#cluster, signal)).at(-1);
    if (newest === undefined) return null;
    const head = await this.#headOf(repository, newest, signal);
    this.#why = head === null ? 'the newest one is under another epoch key, damaged, or of another database' : this.#why;
    return head;
  }

  async #headOf(repository: Repository, { stream, begins }: Stream, signal: AbortSignal): Promise<Head | null> {
    try {
      const last = await getSegment(repository, { cluster: this.#cluster, stream, begin: begins.at(-1)! }, signal);
      if (last.kid !== repository.keys.kid || !('changes' in last)) return null;
      const first =
        begins.length === 1 ? last : await getSegment(repository, { cluster: this.#cluster, stream, begin: begins[0]! }, signal);
      this.#storedToMs = last.wallMs;
      return { stream, begin: first.begin, beginEpoch: first.epochBefore, end: last.end, endEpoch: last.endEpoch, hash: last.hash };
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged', 'key-service-failed')) throw error;
      return null;
    }
  }
}

/** All versions after the head, up to the end of what was captured, cut where a segment is full. A version is never parted: FoundationDB commits at most some 10 MB at one. */
function* segmentsOf({ end, changes, wallMs }: Captured, head: Head): Generator<Omit<ChangeSegment, 'previous'>> {
  let [begin, epochBefore] = [head.end + 1, head.endEpoch];
  let taken: Change[] = [];
  let bytes = 0;
  for (const [n, change] of changes.entries()) {
    taken.push(change);
    bytes += changeBytes(change);
    if (bytes < SEGMENT_BYTES || changes[n + 1]?.version === change.version) continue;
    yield { begin, end: change.version, epochBefore, wallMs, changes: taken };
    [begin, epochBefore] = [change.version + 1, change.epoch];
    taken = [];
    bytes = 0;
  }
  if (begin <= end) yield { begin, end, epochBefore, wallMs, changes: taken };
}

/** One text for equal changes. */
function textOf(changes: readonly Change[]): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return changes.map(({ version, op, key, value }) => `${version} ${op} ${hex(key)} ${hex(value)}`).join('\n');
}
