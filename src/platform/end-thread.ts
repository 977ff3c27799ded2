import type { Worker } from 'node:worker_threads';

/** What a thread is told that is to end: it finishes what it is at, and closes its port. */
export interface End {
  readonly kind: 'end';
}

/** A thread looks for it between two steps, each of which takes less than a second. */
const PATIENCE_MS = 10_000;

/**
 * Ends a thread by telling it, and waits until it has ended. Only one that does not listen is stopped by force: in the midst of native code that may end the whole process (zlib aborts where a new zstd context fails, as it
 * does in a thread that is being stopped). Told again it only waits.
 */
export async function endThread(worker: Worker, patienceMs = PATIENCE_MS): Promise<void> {
  // A thread that has ended has no id any more.
  if (worker.threadId < 0) return;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage({ kind: 'end' } satisfies End);
  const force = setTimeout(() => void worker.terminate(), patienceMs);
  await ended;
  clearTimeout(force);
}
