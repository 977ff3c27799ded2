import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import type { ObjectStore, PutOptions, PutOutcome, StoredObject } from './object-store.ts';

export interface RetryPolicy {
  /** How often in all, the first try included. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * Tries again what failed with `object-store-transient`, after a random delay up to a bound that doubles. A failed put may have been carried out;
 * when the second try then finds the name taken, what is stored is compared with what we put, so that our own success is not called a conflict. For that, bodies must be unique to their writer (encrypted objects are; a lease names its holder and sequence). A delete that was tried
 * again may find its own work: `not-found`.
 * @param random in [0, 1)
 */
export function withRetry(store: ObjectStore, policy: RetryPolicy, clock: Clock, random: () => number): ObjectStore {
  async function trying<T>(signal: AbortSignal | undefined, attempt: (before: number) => Promise<T>): Promise<T> {
    for (let before = 0; ; before++) {
      signal?.throwIfAborted();
      try {
        return await attempt(before);
      } catch (error) {
        if (!isTransient(error) || before + 1 >= policy.attempts) throw error;
        await clock.sleep(delayMs(policy, before, random), signal);
      }
    }
  }
  async function put(name: string, body: Uint8Array, options: PutOptions | undefined): Promise<PutOutcome> {
    let unsure = false;
    const result = await trying(options?.signal, (before) => {
      unsure = before > 0;
      return store.put(name, body, options);
    });
    if (result.outcome === 'stored' || !unsure) return result;
    const signal = options?.signal;
    const object = await trying(signal, () => store.stat(name, signal));
    if (object === null || object.bytes !== body.length) return result;
    const found = await trying(signal, () => store.get(name, { maxBytes: body.length, ...(signal === undefined ? {} : { signal }) }));
    const ours = found.outcome === 'found' && found.generation === object.generation && found.body.equals(body);
    return ours ? { outcome: 'stored', object } : result;
  }
  return {
    supports: store.supports,
    put,
    get: (name, options) => trying(options.signal, () => store.get(name, options)),
    stat: (name, signal) => trying(signal, () => store.stat(name, signal)),
    list: (prefix, options) =>
      listAgain(store, { prefix, ...options }, policy, (before, signal) => clock.sleep(delayMs(policy, before, random), signal)),
    delete: (name, options) => trying(options?.signal, () => store.delete(name, options)),
  };
}

interface Listing {
  readonly prefix: string;
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** Goes on after the last object that came; the tries are counted from there. */
async function* listAgain(
  store: ObjectStore,
  listing: Listing,
  policy: RetryPolicy,
  pause: (before: number, signal: AbortSignal | undefined) => Promise<void>,
): AsyncGenerator<StoredObject> {
  let { after } = listing;
  const { prefix, signal } = listing;
  for (let before = 0; ;) {
    try {
      for await (const object of store.list(prefix, {
        ...(after === undefined ? {} : { after }),
        ...(signal === undefined ? {} : { signal }),
      })) {
        after = object.name;
        before = 0;
        yield object;
      }
      return;
    } catch (error) {
      if (!isTransient(error) || before + 1 >= policy.attempts) throw error;
      await pause(before++, signal);
    }
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'object-store-transient';
}

function delayMs(policy: RetryPolicy, before: number, random: () => number): number {
  return random() * Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** before);
}
