/** The work's result, or the error of `onAbort` (the signal's reason by default) when the signal aborts first. The work itself is its owner's to stop. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal, onAbort: () => Error = () => signal.reason as Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(onAbort());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
