import type { Clock } from '../platform/clock.ts';
import type { Platform, RunContext } from '../platform/platform.ts';
import { awaitRedundancy, readBack, watchEngine, type Observed } from './observe.ts';
import { Operator } from './operator.ts';
import { refuseUsed } from './refuse-used.ts';

/** What a game day asks of the system itself, beside the clients that measure it. */
export interface Witness {
  /** Of the engine; null where there is none of it. */
  readonly operator: Operator | null;
  /** Throws HarnessError `lab-failed` where what is there already would be taken for this run's. */
  refuseUsed(): Promise<void>;
  /** Records what the system says of itself, until the signal. */
  watch(signal: AbortSignal): Promise<void>;
  /** Waits, at most so long, until the system is as redundant as it was. */
  awaitRedundancy(atMostMs: number, signal: AbortSignal): Promise<void>;
  /** Records what is there at the end; keys: all that were written. */
  readBack(keys: readonly string[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The engine, by its contract. Throws HarnessError `lab-failed`. */
export async function engineWitness(platform: Platform, context: RunContext, clock: Clock, signal: AbortSignal): Promise<Witness> {
  const operator = await Operator.start(platform, context, signal);
  const observed: Observed = { operator, platform, pods: platform.pods(), context, clock };
  return {
    operator,
    // A local lab is as new as the run.
    refuseUsed: async () => (platform.kind === 'local' ? undefined : await refuseUsed(observed)),
    watch: (until) => watchEngine(observed, until),
    awaitRedundancy: (atMostMs, within) => awaitRedundancy(observed, atMostMs, within),
    readBack: (_, within) => readBack(observed, within),
    close: () => operator.close(),
  };
}
