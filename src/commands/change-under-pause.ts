import type { LoadedConfig } from '../config/load.ts';
import { isServing, viewOf } from '../foundationdb/cluster-view.ts';
import { statusByFdbcli, type Fdbcli, type FdbcliResult } from '../foundationdb/fdbcli.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { systemClock } from '../platform/clock.ts';
import { Controllers } from './controllers.ts';
import { isPauseOfOrder, NOBODY_LEADS, resume, whatIsUnderWay } from './managed-foundationdb.ts';
import { ABANDONED_MS, Order, RENEW_EVERY_MS } from './order.ts';
import type { Tell } from './ordering.ts';

const STATUS_MS = 20_000;
/** A change of the configuration is a recovery of FoundationDB: commits stand still for 1 to 2 s (measured). */
const SERVES_AGAIN_MS = 60_000;
const LOOK_EVERY_MS = 500;
const LEADER_LOOKS = 4;
/** A pause that nobody ends: whoever gave the order may be gone. */
const PAUSE_MS = 10 * 60_000;
/** The longest program, and until it serves again. */
const CHANGE_AT_MOST_MS = 3 * 60_000;

type Paused = NonNullable<ControllerStatus['paused']>;

export interface PausedWork {
  readonly loaded: LoadedConfig;
  readonly by: string;
  readonly cli: Fdbcli;
  readonly controllers: Controllers;
  readonly tell: Tell;
  /** One for all steps of the command. */
  readonly order: Order;
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
 * As `changeAndWait`, while nobody fails over. Refused where nobody leads, unknown (to be tried again) while something else is under way, another order of the same words among it. Never rejects but with the signal's reason.
 */
export async function changeUnderPause(work: PausedWork, change: Change, signal: AbortSignal): Promise<FdbcliResult> {
  const { controllers, order } = work;
  const look = await lookWhetherToChange(work);
  signal.throwIfAborted();
  if (look.kind !== 'may') return look;
  const { held } = look;
  const pause: OwnPause = { by: work.by, why: order.signed(change.why), forMs: PAUSE_MS, yields: true };
  // Somebody's maintenance: not ours to end.
  if (held !== undefined && !isPauseOfOrder(held.why)) return await changeWhileKept(work, { change, pause, isOurs: false }, signal);
  const over = held === undefined ? {} : { over: { why: held.why, since: held.since } };
  const paused = await controllers.change('/v1/pause', { ...pause, ...over });
  if (paused.kind === 'ok') return await changeWhileKept(work, { change, pause, isOurs: true }, signal);
  if (paused.kind === 'undecided') {
    await resume(work.loaded, { by: work.by, pausedFor: pause.why, why: pause.why }, work.tell);
    return { kind: 'unknown', said: paused.why };
  }
  // Not for good where somebody paused in between: the next look sees whose pause it is.
  const pausedNow = (await controllers.leader())?.answer.paused;
  if (pausedNow === undefined) return { kind: 'refused', said: paused.why };
  return { kind: 'unknown', said: paused.isOlder === true ? `${paused.why}; ${onceOver(pausedNow)}` : paused.why };
}

const onceOver = ({ by, why, until }: Paused): string =>
  `this goes on when the pause of ${by} (${why}), which nobody renews, is over: ${until === null ? '' : `${until}, or `}coditect-dr resume`;

type ChangeLook =
  | { readonly kind: 'may'; readonly held: Paused | undefined }
  | { readonly kind: 'refused'; readonly said: string }
  /** Until that is over. */
  | { readonly kind: 'unknown'; readonly said: string };

/** Whether a change could be begun now. */
async function lookWhetherToChange({ controllers, order }: Pick<PausedWork, 'controllers' | 'order'>): Promise<ChangeLook> {
  const leader = await leaderBeforeLong(controllers);
  if (leader === undefined) return { kind: 'refused', said: NOBODY_LEADS };
  const { paused: held } = leader;
  const inTheWay = whatIsUnderWay(leader) ?? (held === undefined ? null : whyNotUnder(held, order));
  return inTheWay === null ? { kind: 'may', held } : { kind: 'unknown', said: inTheWay };
}

/** One that is busy, or is only now elected, is no reason to refuse. */
async function leaderBeforeLong(controllers: Controllers): Promise<ControllerStatus | undefined> {
  for (let look = 1; ; look++) {
    const leader = (await controllers.leader())?.answer;
    if (leader !== undefined || look === LEADER_LOOKS) return leader;
    await systemClock.sleep(LOOK_EVERY_MS);
  }
}

/** For `--dry-run`: tells what keeps the next step from being made now. False: something does. */
export async function rehearseChange(loaded: LoadedConfig, tell: Tell, signal: AbortSignal): Promise<boolean> {
  const controllers = new Controllers(loaded, signal);
  try {
    const look = await lookWhetherToChange({ controllers, order: new Order() });
    if (look.kind !== 'may') tell(look.kind === 'refused' ? 'refused' : 'wait', look.said);
    return look.kind === 'may';
  } finally {
    controllers.close();
  }
}

/** Null: nothing is changed by whoever has paused, for as long as a change takes. */
function whyNotUnder(held: Paused, order: Order): string | null {
  const { by, why, until } = held;
  if (isPauseOfOrder(why)) {
    if (order.hasMade(held)) return null;
    const leftMs = order.abandonedInMs(held);
    if (leftMs === 0) return null;
    const orElse =
      leftMs === null ? '' : `; once that has not been renewed for ${ABANDONED_MS / 1000} s, whoever gave it is gone, and this goes on`;
    return `${by} has paused failovers (${why}): one change of FoundationDB at a time${orElse}`;
  }
  if (until === null || Date.parse(until) - order.clock.wall().getTime() > CHANGE_AT_MOST_MS) return null;
  return `${by} has paused failovers (${why}) until ${until}, which is too short for a change of FoundationDB: this goes on after it`;
}

interface OwnPause {
  readonly by: string;
  readonly why: string;
  readonly forMs: number;
  readonly yields: true;
}

interface Kept {
  readonly change: Change;
  readonly pause: OwnPause;
  /** False: it is made under one of somebody else. */
  readonly isOurs: boolean;
}

async function changeWhileKept(work: PausedWork, { change, pause, isOurs }: Kept, signal: AbortSignal): Promise<FdbcliResult> {
  const changed = new AbortController();
  const keeping = keepPaused(work, pause, AbortSignal.any([signal, changed.signal]));
  try {
    return await changeAndWait(work, change, signal);
  } finally {
    changed.abort();
    // A renewal that comes after the end of the pause would be a pause that nobody ends.
    const hasPaused = await keeping;
    if (isOurs || hasPaused) await resume(work.loaded, { by: work.by, pausedFor: pause.why, why: pause.why }, work.tell);
  }
}

/** Renews a pause, which tells others that this order lives; where that of somebody else is over, this takes its place. True: it may have paused. */
async function keepPaused({ controllers, order }: PausedWork, pause: OwnPause, signal: AbortSignal): Promise<boolean> {
  let hasPaused = false;
  for (;;) {
    await order.clock.sleep(RENEW_EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return hasPaused;
    if ((await controllers.change('/v1/pause', pause)).kind !== 'refused') hasPaused = true;
  }
}

async function untilServing(cli: Fdbcli, signal: AbortSignal): Promise<void> {
  for (const endMs = systemClock.monotonicMs() + SERVES_AGAIN_MS; systemClock.monotonicMs() < endMs && !signal.aborted;) {
    if (isServing(viewOf((await statusByFdbcli(cli, STATUS_MS, signal)) ?? {}))) return;
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}
