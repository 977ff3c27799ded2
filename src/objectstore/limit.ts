import type { ObjectStore } from './object-store.ts';

/**
 * Holds back puts and gets so that the bodies under way never are more than maxBytes together (a single larger one goes alone): the only
 * back-pressure that a pipeline needs. First come, first served, so a large object is not passed for ever by small ones. A get counts as its limit.
 */
export function limitBytesInFlight(store: ObjectStore, maxBytes: number): ObjectStore {
  const gate = new ByteGate(maxBytes);
  return {
    supports: store.supports,
    put: (name, body, options) => gate.through(body.length, options?.signal, () => store.put(name, body, options)),
    get: (name, options) => {
      const { range, maxBytes: most, signal } = options;
      return gate.through(range === undefined ? most : Math.min(most, range.end - range.begin), signal, () => store.get(name, options));
    },
    stat: (name, signal) => store.stat(name, signal),
    list: (prefix, options) => store.list(prefix, options),
    delete: (name, options) => store.delete(name, options),
  };
}

interface Waiter {
  readonly bytes: number;
  admit(): void;
}

/** Admits work while there is room. */
class ByteGate {
  readonly #maxBytes: number;
  #inFlight = 0;
  #waiting: readonly Waiter[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async through<T>(bytes: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#enter(bytes, signal);
    try {
      return await work();
    } finally {
      this.#inFlight -= bytes;
      this.#admit();
    }
  }

  #enter(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal?.reason as Error);
        this.#admit(); // those behind a large one may fit
      };
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting = [...this.#waiting, waiter];
      this.#admit();
    });
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#inFlight > 0 && this.#inFlight + first.bytes > this.#maxBytes) return;
      this.#waiting = this.#waiting.slice(1);
      this.#inFlight += first.bytes;
      first.admit();
    }
  }
}
