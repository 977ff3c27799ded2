export interface Timetable {
  readonly intervalMs: number;
  /** Each interval is longer by a random part of this, so that many systems do not come to one store at once. */
  readonly jitterMs: number;
  /** After a failure, doubling up to the interval. */
  readonly retryMs: number;
}

export interface ScheduleState {
  /** When the newest backup was made, by whoever; null: never. */
  readonly newestAtMs: number | null;
  readonly failures: number;
  readonly lastFailureAtMs: number | null;
}

/** When the next backup is due, on the wall clock, which is the only one that outlives a process. */
export function nextDueMs(timetable: Timetable, { newestAtMs, failures, lastFailureAtMs }: ScheduleState, random: number): number {
  const regular = newestAtMs === null ? 0 : newestAtMs + timetable.intervalMs + random * timetable.jitterMs;
  if (lastFailureAtMs === null || failures === 0) return regular;
  const pause = Math.min(timetable.intervalMs, timetable.retryMs * 2 ** (failures - 1));
  return Math.max(regular, lastFailureAtMs + pause);
}
