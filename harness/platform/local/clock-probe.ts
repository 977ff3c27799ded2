import { CLOCK_DOUBT_MS } from '../../fault/clock-effect.ts';
import type { ClockReading } from '../../history/event.ts';
import { parseJson } from '../json.ts';
import type { Credentials } from './certificates.ts';
import { get } from './serves.ts';
import { PORTS, type PodSpec } from './topology.ts';

/**
 * How far the wall clock of each program is from ours, as the program itself says it in an answer: nothing else can see the clock within a
 * process. Null: no answer, or a pod whose program says no time.
 */
export function readClocks(pods: readonly PodSpec[], operator: Credentials, nowMs: () => number): Promise<readonly ClockReading[]> {
  return Promise.all(
    pods.map(async (pod) => {
      const port = (PORTS as Readonly<Record<string, number>>)[pod.app];
      const before = Date.now();
      const { text } = await get(`https://${pod.ipv4}:${port}/health`, operator);
      return { pod: pod.name, atMs: nowMs(), offsetMs: offsetOf(text, before, Date.now()) };
    }),
  );
}

/** What an answer says of its program's clock that was asked for and read at these times of ours; null: nothing, or it was under way for so long that its delay might be taken for an offset. Pure. */
export function offsetOf(text: string, askedMs: number, readMs: number): number | null {
  const { timestamp } = (parseJson(text) ?? {}) as { timestamp?: unknown };
  const theirs = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  const isLate = (readMs - askedMs) / 2 > CLOCK_DOUBT_MS;
  return Number.isNaN(theirs) || isLate ? null : theirs - (askedMs + readMs) / 2;
}
