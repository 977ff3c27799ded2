import type { LoadedConfig } from '../config/load.ts';
import { isServing, viewOf } from '../foundationdb/cluster-view.ts';
import { statusByFdbcli, type Fdbcli, type FdbcliResult } from '../foundationdb/fdbcli.ts';
import { systemClock } from '../platform/clock.ts';
import type { Controllers } from './controllers.ts';
import { isPauseOfOrder, NOBODY_LEADS, resume, whatIsUnderWay } from './managed-foundationdb.ts';
import type { Tell } from './ordering.ts';

const STATUS_MS = 20_000;
/** A change of the configuration is a recovery of FoundationDB: commits stand still for 1 to 2 s (measured). */
const SERVES_AGAIN_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** A pause that nobody ends: whoever gave the order may be gone. */
const PAUSE_MS = 10 * 60_000;

export interface PausedWork {
  readonly loaded: LoadedConfig;
  readonly by: string;
  readonly cli: Fdbcli;
  readonly controllers: Controllers;
  readonly tell: Tell;
}

export interface Change {
  readonly what: string;
  /** What the pause is for, as its record says: one of those that `isPauseOfOrder` knows. */
  readonly why: string;
  readonly change: () => Promise<FdbcliResult>;
}

/** Makes one change of FoundationDB's configuration, and waits until it serves again. */
export async function changeAndWait(
  { cli, tell }: Pick<PausedWork, 'cli' | 'tell'>,
  { what, change }: Change,
  signal: AbortSignal,
): Promise<FdbcliResult> {
  tell('changing', what);
  const result = await change();
  await untilServing(cli, signal);
  return result;
}

/**
 * As `changeAndWait`, while nobody fails over. Refused where nobody leads, unknown (to be tried again) while something else is under way. Never
 * rejects but with the signal's reason.
 */
export async function changeUnderPause(work: PausedWork, change: Change, signal: AbortSignal): Promise<FdbcliResult> {
  const { loaded, by, controllers, tell } = work;
  const { why } = change;
  const leader = (await controllers.leader())?.answer;
  signal.throwIfAborted();
  if (leader === undefined) return { kind: 'refused', said: NOBODY_LEADS };
  const underWay = whatIsUnderWay(leader);
  if (underWay !== null) return { kind: 'unknown', said: underWay };
  // The same one: of whoever gave this order before, and was killed.
  if (leader.paused !== undefined && leader.paused.why !== why) {
    const { by: who, why: whatFor } = leader.paused;
    if (isPauseOfOrder(whatFor))
      return { kind: 'unknown', said: `${who} has paused failovers (${whatFor}): one change of FoundationDB at a time` };
    // Somebody's maintenance: not ours to end.
    return await changeAndWait(work, change, signal);
  }
  const paused = await controllers.change('/v1/pause', { by, why, forMs: PAUSE_MS, yields: true });
  if (paused.kind === 'refused') {
    // Not for good where somebody paused in between: the next look sees whose pause it is.
    const pausedNow = (await controllers.leader())?.answer.paused;
    return { kind: pausedNow === undefined ? 'refused' : 'unknown', said: paused.why };
  }
  try {
    return paused.kind === 'ok' ? await changeAndWait(work, change, signal) : { kind: 'unknown', said: paused.why };
  } finally {
    await resume(loaded, { by, pausedFor: why, why }, tell);
  }
}

async function untilServing(cli: Fdbcli, signal: AbortSignal): Promise<void> {
  for (const endMs = systemClock.monotonicMs() + SERVES_AGAIN_MS; systemClock.monotonicMs() < endMs && !signal.aborted;) {
    if (isServing(viewOf((await statusByFdbcli(cli, STATUS_MS, signal)) ?? {}))) return;
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}
