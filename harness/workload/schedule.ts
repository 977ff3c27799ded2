import type { Clock } from '../platform/clock.ts';

/**
 * An open-model schedule: tick n is due at start + n × period whatever became of earlier ones. A timer that wakes late gives all
 * missed ticks at once, each with the instant at which it was due. Returns how to stop; nothing is called afterwards.
 */
export function schedule(clock: Clock, startMs: number, periodMs: number, tick: (intendedMs: number) => void): () => void {
  let count = 0;
  let timer: NodeJS.Timeout;
  const dueMs = (): number => startMs + count * periodMs;
  const wake = (): void => {
    while (dueMs() <= clock.nowMs()) {
      tick(dueMs());
      count += 1;
    }
    arm();
  };
  const arm = (): void => {
    timer = setTimeout(wake, Math.max(0, dueMs() - clock.nowMs()));
  };
  arm();
  return () => clearTimeout(timer);
}
