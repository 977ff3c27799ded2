import type { Clock } from './clock.ts';

/** Resolves once the signal aborts, at once where it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
}

export interface Bounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** The error to throw instead of what the work threw, or of the time-out. */
  readonly asError: (error: unknown, timedOut: boolean) => Error;
}

/**
 * Ends when the work does, the signal aborts (with its reason) or the time is over. For clients whose calls cannot all be stopped: what goes on
 * afterwards is not waited for.
 */
export async function bounded<T>({ timeoutMs, signal, asError }: Bounds, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(either.reason as Error);
  either.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work(either), stopped.promise]);
  } catch (error) {
    throw signal?.aborted === true ? (signal.reason as Error) : asError(error, timeout.aborted);
  } finally {
    either.removeEventListener('abort', stop);
  }
}

/** What comes of work that goes on all the same, for whoever waits only so long; undefined: nothing yet. */
export async function answerWithin<T>(work: Promise<T>, timeoutMs: number, clock: Pick<Clock, 'sleep'>): Promise<T | undefined> {
  const answered = new AbortController();
  const late = clock.sleep(timeoutMs, answered.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    answered.abort(NO_LONGER_NEEDED);
  }
}

/** The reason of aborts that only end a wait. Without one, node makes an exception with its stack for each: dear where it happens a hundred times a second. */
export const NO_LONGER_NEEDED = new Error('no longer needed');
