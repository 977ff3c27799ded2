import type { Clock } from '../platform/clock.ts';
import { machineCounters } from '../platform/machine-counters.ts';
import type { RunContext } from '../platform/platform.ts';

const PERIOD_MS = 1000;

interface Watched {
  readonly context: RunContext;
  readonly clock: Clock;
  readonly machineProc: string;
}

/** Records the counters of this machine once a second until the returned function is called, and then once more. `machineProc` is where its kernel tells them. */
export function watchMachine({ context, clock, machineProc }: Watched): () => Promise<void> {
  const stop = new AbortController();
  const watching = watch({ context, clock, machineProc }, stop.signal);
  return async () => {
    stop.abort(new Error('the run is over'));
    await watching;
  };
}

async function watch({ context, clock, machineProc }: Watched, signal: AbortSignal): Promise<void> {
  const counters = await machineCounters(machineProc);
  for (;;) {
    const counted = await counters();
    if (counted === null) return; // no /proc that tells
    context.record(counted);
    if (signal.aborted) return;
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
  }
}
