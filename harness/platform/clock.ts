/** Two clocks, never mixed: monotonic to measure, wall to show. */
export interface Clock {
  /** Milliseconds since the run's origin, on CLOCK_MONOTONIC (shared by all processes of the host). */
  nowMs(): number;
  /** ISO 8601 label. */
  wall(): string;
  /** Resolves after ms, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export function systemClock(originNs: bigint): Clock {
  return {
    nowMs: () => Number(process.hrtime.bigint() - originNs) / 1e6,
    wall: () => new Date().toISOString(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const timer = setTimeout(done, ms);
        function done(): void {
          signal?.removeEventListener('abort', abort);
          resolve();
        }
        function abort(): void {
          clearTimeout(timer);
          reject(signal?.reason as Error);
        }
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}
