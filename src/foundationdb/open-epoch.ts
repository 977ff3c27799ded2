import type { Database } from 'foundationdb';
import type { Arbiter, Held, Replication } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import { othersOf } from '../server/claim.ts';
import { FENCE_TIMEOUT_MS, openFence, type Fence } from './fence.ts';
import type { KeySpace } from './key-space.ts';

/** Between two tries. */
const AGAIN_MS = 100;

interface Opening {
  readonly db: Database;
  readonly keys: KeySpace;
  readonly arbiter: Arbiter;
  readonly config: EngineConfig;
  readonly clock: Clock;
  /** `async`: what another region has of it is a copy. */
  readonly mode: Replication['mode'];
  /** Its lease is held. */
  readonly epoch: number;
  /** The commit rule as it was when the epoch was taken. */
  readonly before: Held<Replication> | null;
}

/** Opens the epoch in the database and writes its commit rule; tried until both are done (`open`), a higher epoch is found (`passed`) or the signal aborts (null). */
export async function openEpoch(
  opening: Opening,
  signal: AbortSignal,
): Promise<{ readonly kind: 'open' | 'passed'; readonly fence: Fence } | null> {
  const { db, keys, config, clock, epoch } = opening;
  while (!signal.aborted) {
    const opened = await openFence(db, keys.fence, { epoch, region: config.region }, FENCE_TIMEOUT_MS);
    if (opened.kind === 'done') {
      const { kind, fence } = opened.value;
      if (kind === 'passed') return { kind, fence };
      if (await writeRule(opening, signal)) return { kind: 'open', fence };
    }
    await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
  }
  return null;
}

/**
 * There is one database: what one gateway acknowledged every other sees, so W is N and sealing any one of the others seals it all. True when the rule of this epoch or of a later
 * one is in the arbiter.
 */
async function writeRule({ arbiter, config, mode, epoch, before }: Opening, signal: AbortSignal): Promise<boolean> {
  const set = [...othersOf(config)];
  const value: Replication = { epoch, mode, set, w: set.length };
  const result = await arbiter.cas('replication', before?.revision ?? null, value, signal);
  if (result.ok) return true;
  if (result.reason === 'unknown') return false;
  // A failover froze it, under this epoch or a later one, after it was read.
  const found = result.current;
  if (found !== null && found.value.epoch > epoch) return true;
  const again = await arbiter.cas('replication', found?.revision ?? null, value, signal);
  return again.ok;
}
