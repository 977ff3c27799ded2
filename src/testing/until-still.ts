import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '../platform/clock.ts';

const LIMIT_MS = 30_000;

/** Resolves when each thread of a process that was given SIGSTOP stands still: on a busy machine some go on, and answer, after the signal was given. */
export async function untilStill(pid: number): Promise<void> {
  for (const until = systemClock.monotonicMs() + LIMIT_MS; !standsStill(pid); await systemClock.sleep(5))
    if (systemClock.monotonicMs() > until) throw new Error(`process ${pid} does not stand still`);
}

/** By proc(5): state T. */
function standsStill(pid: number): boolean {
  const stateOf = (thread: string): string | undefined =>
    readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => stateOf(thread) === 'T');
  } catch {
    return false; // a thread ended while we looked
  }
}
