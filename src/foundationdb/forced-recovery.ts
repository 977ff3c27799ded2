import type { Clock } from '../platform/clock.ts';
import { isServing, viewOf } from './cluster-view.ts';
import { fdbcli, statusByFdbcli, type Fdbcli, type FdbcliResult } from './fdbcli.ts';
import { mayForce, type Forcing, type MayForce } from './may-force.ts';
import { NO_STATUS, type ClusterStatus } from './status-json.ts';

/** In an outage each role that is gone is waited for (measured: 10 to 17 s on a busy machine, and one status in five gives up). */
const STATUS_MS = 40_000;
/** The command answers when commits are accepted again: measured after 8 to 14 s. */
const FORCE_MS = 120_000;
const READ_BACK_MS = 120_000;
const LOOK_EVERY_MS = 1000;
/** How much longer than patience asks it goes on looking for an outage without a break. */
const LONGEST_LOOK_MS = 300_000;

/** FoundationDB as it is managed, past every gateway. */
export interface Managed {
  status(signal: AbortSignal): Promise<ClusterStatus | null>;
  force(dataCenter: string, signal: AbortSignal): Promise<FdbcliResult>;
}

export function managedBy(cli: Fdbcli): Managed {
  return {
    status: (signal) => statusByFdbcli(cli, STATUS_MS, signal),
    force: (dataCenter, signal) => fdbcli(cli, `force_recovery_with_data_loss ${dataCenter}`, FORCE_MS, signal),
  };
}

export interface ForcedRecovery {
  readonly cluster: Managed;
  readonly clock: Clock;
  readonly forcing: Forcing;
  /** A region whose own way to the database still commits; null: none that answers. */
  readonly servedBy: (signal: AbortSignal) => Promise<string | null>;
}

/** By the status, and by what every region's gateway sees: the other side of a cut may still commit, and would go on as a second database. */
export async function lookWhetherToForce({ cluster, forcing, servedBy }: ForcedRecovery, signal: AbortSignal): Promise<MayForce> {
  const [status, region] = await Promise.all([cluster.status(signal), servedBy(signal)]);
  if (region !== null) return { kind: 'not', why: `the database still commits for ${region}: cut that off first, or let it be` };
  return mayForce(status, forcing);
}

/**
 * Looks until FoundationDB has been out without a break for as long as patience asks: it fails over by itself where it can (22 to 28 s, measured). One look is not enough, and was not: with its
 * satellite alive, 17 s after the primary's end, the status named processes of the remote alone; 5 s later the database served with the satellite's log (measured on a busy machine).
 * Null when it may be forced; else why not. Throws the signal's reason.
 */
export async function waitUntilMayForce(recovery: ForcedRecovery, patienceMs: number, signal: AbortSignal): Promise<string | null> {
  const { clock } = recovery;
  const beganMs = clock.monotonicMs();
  let outSinceMs: number | null = null;
  let why = NO_STATUS;
  for (let nowMs = beganMs; nowMs - beganMs < patienceMs + LONGEST_LOOK_MS; nowMs = clock.monotonicMs()) {
    const found = await lookWhetherToForce(recovery, signal);
    signal.throwIfAborted();
    if (found.kind === 'serves') return 'it serves: there is nothing to force';
    if (found.kind === 'may') {
      // A look may take half of the patience by itself, and is of any moment within it.
      if (outSinceMs !== null && nowMs - outSinceMs >= patienceMs) return null;
      outSinceMs ??= clock.monotonicMs();
    }
    if (found.kind === 'not') {
      why = found.why;
      outSinceMs = null;
      if (nowMs - beganMs >= patienceMs) return why;
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return why;
}

export type Forced =
  | { readonly kind: 'done' }
  /** Nothing was thrown away. */
  | { readonly kind: 'not-done'; readonly why: string }
  /** It may have been, and may be yet. */
  | { readonly kind: 'undecided'; readonly why: string };

/**
 * Forces the recovery, and believes only what is read back: exit code 0 also comes where FoundationDB recovered by itself meanwhile, and nothing was forced. May be repeated: nothing is thrown
 * away twice.
 */
export async function forceRecovery({ cluster, clock, forcing }: ForcedRecovery, signal: AbortSignal): Promise<Forced> {
  const { dataCenter } = forcing;
  const result = await cluster.force(dataCenter, signal);
  if (result.kind === 'refused') return { kind: 'not-done', why: result.said };
  let seen = 'no status';
  for (const endMs = clock.monotonicMs() + READ_BACK_MS; clock.monotonicMs() < endMs && !signal.aborted;) {
    const status = await cluster.status(signal);
    const view = viewOf(status ?? {});
    if (isServing(view) && view.usableRegions !== null && view.primaryDc !== null) {
      if (view.usableRegions === 1 && view.primaryDc === dataCenter) return { kind: 'done' };
      const where = `it serves in ${view.primaryDc} with ${view.usableRegions} region${view.usableRegions === 1 ? '' : 's'}`;
      // The command has answered: what was not forced by now will not be.
      if (result.kind === 'done') return { kind: 'not-done', why: `${where}: it recovered by itself` };
      seen = where;
    } else if (status !== null) seen = `recovery is at ${view.recoveryState ?? 'a state that is not told'}`;
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  return { kind: 'undecided', why: `${seen}; fdbcli said: ${result.said}` };
}
