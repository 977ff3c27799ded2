import { Worker } from 'node:worker_threads';
import { isDeepStrictEqual } from 'node:util';
import type { DataIdentity } from '../../database/data-reader.ts';
import { endThread } from '../../platform/end-thread.ts';
import { EngineError } from '../../platform/errors.ts';
import { maxPackBytes } from './pack-builder.ts';
import type { PackToStore } from './pack-store.ts';
import type { CutSegment, FromWorker, Job, ToWorker, WorkerSetup } from './worker-messages.ts';

const RENDEZVOUS_TRIES = 500;
/** One is filled while the other is stored. */
const SLABS_PER_WORKER = 2;

interface Member {
  readonly worker: Worker;
  readonly say: (message: ToWorker) => void;
  /** Rows travel with it. */
  readonly give: (job: Job) => void;
  readonly slabs: readonly SharedArrayBuffer[];
}

export interface PoolOptions extends Omit<WorkerSetup, 'barrier' | 'ending' | 'slabs'> {
  readonly workers: number;
  /** Stores a pack; its memory is given back to the worker when the promise resolves. */
  readonly store: (pack: PackToStore) => Promise<void>;
}

/** The threads that make packs, all on one state of the database. The owner calls `close`, whatever happened. */
export class WorkerPool {
  readonly #members: readonly Member[];
  readonly #barrier: Int32Array;
  readonly #ending: Int32Array;
  readonly #failure = Promise.withResolvers<never>();
  readonly #storing = new Set<Promise<void>>();
  readonly #store: PoolOptions['store'];
  readonly #pinned = new Map<Member, (identity: DataIdentity) => void>();
  readonly #jobs = new Map<Member, (segments: readonly CutSegment[]) => void>();
  #closing = false;

  constructor({ workers, store, ...setup }: PoolOptions) {
    const barrier = new SharedArrayBuffer(4);
    const ending = new SharedArrayBuffer(4);
    this.#barrier = new Int32Array(barrier);
    this.#ending = new Int32Array(ending);
    this.#store = store;
    this.#failure.promise.catch(() => undefined);
    const newSlab = (): SharedArrayBuffer => new SharedArrayBuffer(maxPackBytes(setup.settings));
    this.#members = Array.from({ length: workers }, () =>
      this.#start({ ...setup, barrier, ending, slabs: Array.from({ length: SLABS_PER_WORKER }, newSlab) }),
    );
  }

  /** Makes all workers see one and the same state; a state that changed in between is tried again. */
  async rendezvous(signal: AbortSignal): Promise<DataIdentity> {
    for (let attempt = 1; attempt <= RENDEZVOUS_TRIES; attempt++) {
      signal.throwIfAborted();
      // Who did not arrive last time (its spin ran out) must not be waited for now.
      Atomics.store(this.#barrier, 0, 0);
      const identities = await this.#or(
        Promise.all(
          this.#members.map((member) => {
            const pinned = Promise.withResolvers<DataIdentity>();
            this.#pinned.set(member, pinned.resolve);
            member.say({ kind: 'pin', arrivals: this.#members.length });
            return pinned.promise;
          }),
        ),
      );
      const [first] = identities;
      if (first !== undefined && identities.every((identity) => isDeepStrictEqual(identity, first))) return first;
    }
    throw new EngineError(
      'backup-failed',
      `the database changes so fast that ${RENDEZVOUS_TRIES} tries found no moment for a snapshot by several threads; set backup.workers to 1`,
    );
  }

  /** Runs the jobs as they come, one at a time on each worker; the results are in the jobs' order. Returns when all their packs are stored. */
  async run(jobs: AsyncIterable<Job>): Promise<readonly CutSegment[]> {
    const results: (readonly CutSegment[])[] = [];
    const source = jobs[Symbol.asyncIterator]();
    let next = 0;
    const work = async (member: Member): Promise<void> => {
      for (;;) {
        const number = next++;
        const job = await source.next();
        if (job.done === true) return;
        const done = Promise.withResolvers<readonly CutSegment[]>();
        this.#jobs.set(member, done.resolve);
        member.give(job.value);
        results[number] = await done.promise;
      }
    };
    await this.#or(Promise.all(this.#members.map(work)));
    await this.#or(Promise.all(this.#storing));
    return results.flat();
  }

  /** Fails everything that is waited for. */
  fail(error: Error): void {
    this.#failure.reject(error);
  }

  async close(): Promise<void> {
    this.#closing = true;
    Atomics.store(this.#ending, 0, 1);
    await Promise.all(this.#members.map(({ worker }) => endThread(worker)));
    await Promise.allSettled(this.#storing);
  }

  #start(setup: WorkerSetup): Member {
    const worker = new Worker(new URL('./pack-worker.js', import.meta.url), { workerData: setup });
    const member: Member = {
      worker,
      slabs: setup.slabs,
      say: (message) => worker.postMessage(message),
      give: (job) => worker.postMessage({ kind: 'job', ...job } satisfies ToWorker, job.rows === null ? [] : [job.rows.memory]),
    };
    worker.on('message', (message: FromWorker) => this.#hear(member, message));
    worker.on('error', (error) => this.fail(asEngineError(error)));
    worker.on('exit', (code) => {
      if (!this.#closing) this.fail(new EngineError('backup-failed', `a backup thread ended (${code})`));
    });
    return member;
  }

  #hear(member: Member, message: FromWorker): void {
    if (message.kind === 'pinned') this.#pinned.get(member)?.(message.identity);
    else if (message.kind === 'done') this.#jobs.get(member)?.(message.segments);
    else {
      const { id, name, crc32c, blobs, slab, bytes } = message;
      const storing = this.#store({ id, name, crc32c, blobs, body: Buffer.from(member.slabs[slab]!, 0, bytes) }).then(
        () => member.say({ kind: 'slab', slab }),
        (error: unknown) => this.fail(error as Error),
      );
      this.#storing.add(storing);
      void storing.finally(() => this.#storing.delete(storing));
    }
  }

  async #or<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#failure.promise]);
  }
}

/** An error that crossed a thread has lost its class. */
function asEngineError(error: unknown): Error {
  const code = (error as { readonly code?: unknown }).code;
  if (error instanceof EngineError || !(error instanceof Error) || typeof code !== 'string') return error as Error;
  return new EngineError('backup-failed', error.message, error);
}
