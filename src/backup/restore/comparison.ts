import { Worker } from 'node:worker_threads';
import type { RestoreTarget } from '../../database/lmdb-restore.ts';
import { endThread } from '../../platform/end-thread.ts';
import { EngineError, type EngineErrorCode } from '../../platform/errors.ts';
import type { BackupFiles } from '../repository/file-list.ts';
import { compareWithFiles, partOf } from './compare.ts';
import type { Comparing, FromComparer, ToComparer } from './compare-worker.ts';

/** Compares what is put into a target with a backup's files while more is put after it. The owner calls `close`, whatever happened. */
export interface Comparison {
  /** The first `files` files are put and committed, and nothing is put before or among them any more. @throws EngineError backup-differs where something is known to differ */
  committed(files: number): void;
  /** All files are compared. @throws EngineError backup-differs, naming the range that differs */
  finish(): Promise<void>;
  close(): Promise<void>;
}

interface Options extends Comparing {
  readonly target: RestoreTarget;
  /** Else `committed` itself compares. */
  readonly inThread: boolean;
}

/** Begin before anything is put: the thread opens the database, which nobody else may be writing then. */
export async function startComparison({ target, inThread, ...comparing }: Options, signal: AbortSignal): Promise<Comparison> {
  if (!inThread) return compareHere(target, comparing);
  const comparison = new ComparingThread(comparing, signal);
  try {
    await comparison.answered(0);
    return comparison;
  } catch (error) {
    await comparison.close();
    throw error;
  }
}

function compareHere(target: RestoreTarget, { idKey, files }: Comparing): Comparison {
  let done = 0;
  return {
    committed: (count) => {
      if (count > done) compareWithFiles(target, idKey, partOf(files, done, count));
      done = count;
    },
    finish: async () => requireAll(done, files),
    close: async () => undefined,
  };
}

function requireAll(compared: number, { files }: BackupFiles): void {
  if (compared !== files.length) throw new EngineError('internal', `${compared} of ${files.length} files were compared`);
}

class ComparingThread implements Comparison {
  readonly #worker: Worker;
  readonly #files: BackupFiles;
  readonly #signal: AbortSignal;
  /** Files of the last answer; -1 before the thread is ready. */
  #compared = -1;
  #asked = 0;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  constructor(comparing: Comparing, signal: AbortSignal) {
    this.#files = comparing.files;
    this.#signal = signal;
    this.#worker = new Worker(new URL('./compare-worker.js', import.meta.url), { workerData: comparing });
    this.#worker.on('message', (message: FromComparer) => {
      if (message.kind === 'differs') this.#fail(new EngineError(message.code as EngineErrorCode, message.message));
      else this.#compared = message.files;
      this.#wake();
    });
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', (code) => this.#fail(new EngineError('internal', `the comparing thread ended (${code})`)));
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  committed(files: number): void {
    if (this.#failure !== null) throw this.#failure;
    this.#asked = files;
    this.#worker.postMessage({ kind: 'committed', files } satisfies ToComparer);
  }

  async finish(): Promise<void> {
    await this.answered(this.#asked);
    requireAll(this.#compared, this.#files);
  }

  /** Waits until so many files are compared. */
  async answered(files: number): Promise<void> {
    while (this.#failure === null && this.#compared < files) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== null) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#abort);
    await endThread(this.#worker);
  }

  readonly #abort = (): void => this.#fail(this.#signal.reason as Error);

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
