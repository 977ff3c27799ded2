/** A Lease of coordination.k8s.io as far as an election needs it. `version` is the API server's, different after each write. */
export interface LeaseView {
  readonly version: string;
  readonly holder: string | null;
}

/** Since when, on our own monotonic clock, the Lease has been as it is. Its own times are another machine's wall clock and decide nothing. */
export interface Sighting {
  readonly version: string | null;
  readonly sinceMs: number;
}

export type ElectionMove =
  | { readonly move: 'create' }
  /** Write ourselves into it, at the version that was read. `transition`: somebody else had it. */
  | { readonly move: 'write'; readonly transition: boolean }
  | { readonly move: 'wait' };

export function sight(before: Sighting, lease: LeaseView | null, nowMs: number): Sighting {
  const version = lease?.version ?? null;
  return version === before.version ? before : { version, sinceMs: nowMs };
}

/**
 * What a controller does about the Lease that it has just read: renews its own, takes one that is free or has not changed for `leaseMs`, else waits. Safety does
 * not rest on it: two controllers of a region that are active at once are one observer, and the arbiter decides who leads.
 */
export function decide(lease: LeaseView | null, { sinceMs }: Sighting, me: string, nowMs: number, leaseMs: number): ElectionMove {
  if (lease === null) return { move: 'create' };
  if (lease.holder === me) return { move: 'write', transition: false };
  if (lease.holder === null || nowMs - sinceMs >= leaseMs) return { move: 'write', transition: true };
  return { move: 'wait' };
}
