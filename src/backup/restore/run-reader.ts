import { Worker } from 'node:worker_threads';
import { endThread } from '../../platform/end-thread.ts';
import { EngineError, type EngineErrorCode } from '../../platform/errors.ts';
import { CDR1_FLOE, FLOE_HEADER_BYTES, floePlainSegmentBytes } from '../format/floe-core.ts';
import { packOf, type BlobMap } from '../repository/blob-reader.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import type { FromDecoder, ToDecoder } from './decode-worker.ts';
import { decodeRun, type RunKeys, type SealedRun } from './run-decoder.ts';
import type { Run } from './runs.ts';
import { slabOf } from './slab.ts';

export interface RunReaderOptions {
  readonly repository: Repository;
  readonly map: BlobMap;
  /** Threads; 0 decodes in this one. */
  readonly workers: number;
  /** Whether the plaintexts are wanted, or only that they were checked. */
  readonly contents: boolean;
}

/** Runs that are fetched or decoded ahead of the one that is wanted, for each worker. */
const AHEAD_PER_WORKER = 2;

/**
 * Reads runs in their order, several at a time; yields the checked plaintexts of each run's files, or none. They are there until the next run is asked for: then their memory
 * is used again. Ends its threads when it ends, however it ends.
 */
export async function* readRuns(
  { repository, map, workers, contents }: RunReaderOptions,
  runs: readonly Run[],
  signal: AbortSignal,
): AsyncGenerator<readonly Uint8Array[]> {
  const { repo } = repository;
  const keys: RunKeys = { repo, kid: map.keys.kid, epoch: map.epoch, packKey: map.keys.pack, idKey: map.keys.id };
  const pool = new DecoderPool(Math.min(workers, runs.length), keys);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ahead: Promise<Decoded>[] = [];
  let next = 0;
  const begin = (): void => {
    const run = runs[next++];
    if (run === undefined) return;
    const work = fetchRun(repository, map, run, either).then((sealed) => pool.decode(sealed, contents));
    // Its turn comes; until then a failure waits with it.
    work.catch(() => undefined);
    ahead.push(work);
  };
  try {
    while (ahead.length < Math.max(1, workers) * AHEAD_PER_WORKER && next < runs.length) begin();
    for (let work = ahead.shift(); work !== undefined; work = ahead.shift()) {
      const { files, giveBack } = await work;
      signal.throwIfAborted();
      begin();
      yield files;
      giveBack();
    }
  } finally {
    stop.abort(new EngineError('timeout', 'reading has ended'));
    await Promise.allSettled(ahead);
    await pool.close();
  }
}

async function fetchRun({ store }: Repository, map: BlobMap, run: Run, signal: AbortSignal): Promise<SealedRun> {
  const { name, stored } = packOf(map, run.pack);
  const full = floePlainSegmentBytes(CDR1_FLOE);
  const first = Math.floor(run.begin / full);
  const last = Math.floor((run.end - 1) / full);
  const begin = FLOE_HEADER_BYTES + first * CDR1_FLOE.segmentBytes;
  const end = Math.min(FLOE_HEADER_BYTES + (last + 1) * CDR1_FLOE.segmentBytes, stored.bytes);
  const fetch = async (from: number, to: number): Promise<Buffer> => {
    if (to <= from) throw new EngineError('backup-damaged', `${name} is shorter than its index says`);
    const found = await store.get(name, { range: { begin: from, end: to }, maxBytes: to - from, ...signalOf(signal) });
    if (found.outcome === 'not-found') throw new EngineError('backup-damaged', `${name} is missing`);
    if (found.body.length !== to - from)
      throw new EngineError('backup-damaged', `${name} is cut: it has not the ${stored.bytes} bytes that the manifest states`);
    return found.body;
  };
  const { pack, files } = run;
  if (first === 0) {
    const bytes = await fetch(0, end);
    return {
      pack,
      files,
      first,
      packBytes: stored.bytes,
      header: bytes.subarray(0, FLOE_HEADER_BYTES),
      segments: bytes.subarray(FLOE_HEADER_BYTES),
    };
  }
  const [header, segments] = await Promise.all([fetch(0, FLOE_HEADER_BYTES), fetch(begin, end)]);
  return { pack, files, first, packBytes: stored.bytes, header, segments };
}

/** What can travel without being copied: not what is a part of Node's pool of small buffers. */
function ownMemory({ buffer }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize ? [buffer] : [];
}

interface Decoded {
  readonly files: readonly Uint8Array[];
  /** Called when the files are not needed any more. */
  readonly giveBack: () => void;
}

interface Waiting {
  readonly resolve: (decoded: Decoded) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that decode. One that fails fails all that is waited for: each is told by itself, for a race with one promise that stands for the whole time would keep every result
 * until the end.
 */
class DecoderPool {
  readonly #keys: RunKeys;
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #failure: Error | null = null;
  #next = 0;
  #closing = false;

  constructor(count: number, keys: RunKeys) {
    this.#keys = keys;
    this.#workers = Array.from({ length: count }, () => {
      const worker = new Worker(new URL('./decode-worker.js', import.meta.url), { workerData: keys });
      worker.on('message', (message: FromDecoder) => this.#hear(worker, message));
      worker.on('error', (error) => this.#fail(error as Error));
      worker.on('exit', (code) => {
        if (!this.#closing) this.#fail(new EngineError('internal', `a reading thread ended (${code})`));
      });
      return worker;
    });
  }

  async decode(run: SealedRun, wanted: boolean): Promise<Decoded> {
    if (this.#workers.length === 0) {
      const files = decodeRun(this.#keys, run, slabOf().take);
      return { files: wanted ? files : [], giveBack: () => undefined };
    }
    if (this.#failure !== null) throw this.#failure;
    const number = this.#next++;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      const message: ToDecoder = { kind: 'run', number, run, wanted };
      this.#workers[number % this.#workers.length]!.postMessage(message, ownMemory(run.segments));
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map((worker) => endThread(worker)));
    this.#fail(new EngineError('timeout', 'reading has ended'));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  #hear(worker: Worker, message: FromDecoder): void {
    const waiting = this.#waiting.get(message.number);
    this.#waiting.delete(message.number);
    if (message.kind === 'refused') {
      waiting?.reject(new EngineError(message.code as EngineErrorCode, message.message));
      return;
    }
    const { files, slab } = message;
    const giveBack = (): void => {
      if (slab !== null) worker.postMessage({ kind: 'slab', slab } satisfies ToDecoder, [slab]);
    };
    waiting?.resolve({ files, giveBack });
  }
}
