import type { Clock } from '../platform/clock.ts';
import type { ObjectStore } from './object-store.ts';

/** Starts puts and gets no faster than bytesPerSecond on average: each waits until those before it have had their time. */
export function limitRate(store: ObjectStore, bytesPerSecond: number, clock: Clock): ObjectStore {
  let freeAtMs = clock.monotonicMs();
  const wait = async (bytes: number, signal: AbortSignal | undefined): Promise<void> => {
    const nowMs = clock.monotonicMs();
    const startMs = Math.max(nowMs, freeAtMs);
    freeAtMs = startMs + (bytes / bytesPerSecond) * 1000;
    if (startMs > nowMs) await clock.sleep(startMs - nowMs, signal);
  };
  return {
    ...store,
    put: async (name, body, options) => {
      await wait(body.length, options?.signal);
      return await store.put(name, body, options);
    },
    get: async (name, options) => {
      const result = await store.get(name, options);
      // Only now is it known how much came; who asks next pays for it.
      if (result.outcome === 'found') await wait(result.body.length, options.signal);
      return result;
    },
  };
}
