import type { Held, Journal, Lease, LeaseTimes } from '../arbiter/arbiter.ts';
import { journalIsOpen } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';

/**
 * The arithmetic of the lease, for both sides. Every time is on the caller's own monotonic clock; no two clocks are ever compared.
 * Why it is safe: a renewal is sent before it is stored and stored before anybody sees it, so (holder's stop) = sent + holderStopsMs is earlier
 * than (successor's start) = seen + successorWaitsMs, with the policy's difference as margin for drift of the clocks' rates. Both numbers are the holder's: its lease tells
 * them, as the successor's own policy may be another (a rollout, a region that is configured otherwise).
 */

/** How long this lease lasts, by its own word and never less than by the own policy, which is all there is of one whose holder did not tell. */
export function leaseTimes(lease: Lease | null, own: LeaseTimes): LeaseTimes {
  const times = lease?.times ?? own;
  return {
    holderStopsMs: Math.max(times.holderStopsMs, own.holderStopsMs),
    successorWaitsMs: Math.max(times.successorWaitsMs, own.successorWaitsMs),
  };
}

/** How long the holder may still accept and acknowledge, counted from *sending* the last renewal that succeeded; 0 when it is over. */
export function holderRemainingMs(renewalSentAtMs: number, nowMs: number, policy: Pick<Policy, 'holderStopsMs'>): number {
  return Math.max(0, renewalSentAtMs + policy.holderStopsMs - nowMs);
}

/** What a successor knows of the lease: the record and when this process first saw it at that revision. */
export interface LeaseSighting {
  readonly lease: Lease;
  readonly revision: number;
  readonly seenAtMs: number;
}

/** Takes note of the lease as read at `nowMs`; the time stays that of the first sight of this revision, an older revision changes nothing. */
export function sightLease(before: LeaseSighting | null, held: Held<Lease> | null, nowMs: number): LeaseSighting | null {
  if (held === null) return before;
  if (before !== null && held.revision <= before.revision) return before;
  return { lease: held.value, revision: held.revision, seenAtMs: nowMs };
}

/** From when on the holder of this lease has certainly stopped, if it was not renewed any more after this sighting. */
export function successorMayActAtMs({ lease, seenAtMs }: LeaseSighting, policy: LeaseTimes): number {
  return seenAtMs + leaseTimes(lease, policy).successorWaitsMs;
}

/**
 * From when on the holder that a pending lease replaced has certainly stopped. `replaced` is this process's last sighting of a lease of a lower epoch. Only who saw the very
 * revision that was replaced (`pending.lease.seq`) may count from that sight; anybody else (it missed a renewal, or it took over later) counts from seeing the epoch taken.
 */
export function fencedAtMs(pending: LeaseSighting, replaced: LeaseSighting | null, policy: LeaseTimes): number {
  const sawTheLastRenewal = replaced !== null && replaced.revision === pending.lease.seq;
  return successorMayActAtMs(sawTheLastRenewal ? replaced : pending, policy);
}

export type Reacquisition = { readonly may: true; readonly epoch: number } | { readonly may: false; readonly why: string };

/**
 * Whether a database that holds no lease now (it was restarted, or it let its lease run out) may take the next epoch by itself: only where the record
 * still names its region and no failover is under way. The caller must be alone on its data folder (it holds the lock), so that the process whose
 * lease it was is gone or is itself: then nothing has to be waited for. It must also own that log still: an empty disk is no holder.
 */
export function mayReacquire(region: string, lease: Lease | null, journal: Journal | null): Reacquisition {
  if (lease === null) return { may: false, why: 'there is no lease yet' };
  if (lease.holder !== region) {
    return {
      may: false,
      why: lease.holder === null ? `epoch ${lease.epoch} is being failed over` : `${lease.holder} holds epoch ${lease.epoch}`,
    };
  }
  if (journal !== null && journalIsOpen(journal) && journal.epoch > lease.epoch) {
    return { may: false, why: `failover ${journal.runId} to epoch ${journal.epoch} is under way` };
  }
  return { may: true, epoch: lease.epoch + 1 };
}

/** How many of the set must be sealed so that every acknowledged write is on one of them: any W of N meet any N−W+1 of N. */
export function sealQuorum(set: readonly string[], w: number): number {
  return Math.max(0, set.length - w + 1);
}
