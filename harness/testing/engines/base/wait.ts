/** Resolves after ms, or as soon as the signal aborts (never rejects: loops look at the signal themselves). */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Runs one task after another, whatever their outcome. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  take<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(task, task);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** Wakes everyone who waits. */
export class Bell {
  #ring = Promise.withResolvers<void>();
  ring(): void {
    this.#ring.resolve();
    this.#ring = Promise.withResolvers<void>();
  }
  /** Resolves at the next ring, after ms, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    await Promise.race([this.#ring.promise, pause(ms, AbortSignal.any([signal, end.signal]))]);
    end.abort();
  }
}
