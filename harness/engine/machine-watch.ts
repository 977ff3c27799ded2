import type { Clock } from '../platform/clock.ts';
import { machineCounters } from '../platform/machine-counters.ts';
import type { RunContext } from '../platform/platform.ts';

const PERIOD_MS = 1000;

/** Records the counters of this machine once a second until the returned function is called, and then once more. */
export function watchMachine(context: RunContext, clock: Clock): () => Promise<void> {
  const stop = new AbortController();
  const watching = watch(context, clock, stop.signal);
  return async () => {
    stop.abort(new Error('the run is over'));
    await watching;
  };
}

async function watch(context: RunContext, clock: Clock, signal: AbortSignal): Promise<void> {
  const counters = await machineCounters();
  for (;;) {
    const counted = await counters();
    if (counted === null) return; // no /proc that tells
    context.record(counted);
    if (signal.aborted) return;
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
  }
}
