import type { Policy } from '../config/policy.ts';

/** When this controller last heard the arbiter, and when it heard it again after a silence that may have stopped the primary; null: there was none. */
export interface ArbiterContact {
  readonly heardAtMs: number;
  readonly backAtMs: number | null;
}

type Timing = Pick<Policy, 'holderStopsMs' | 'leaseRenewMs' | 'suspectAfterMs' | 'confirmMs'>;

/** Nothing was heard yet: the first word is a return. */
export const NEVER_HEARD: ArbiterContact = { heardAtMs: -Infinity, backAtMs: null };

export function hear(before: ArbiterContact, nowMs: number, policy: Timing): ArbiterContact {
  return { heardAtMs: nowMs, backAtMs: isSilent(before, nowMs, policy) ? nowMs : before.backAtMs };
}

/**
 * Whether a primary that is not seen to commit may still be one that only waits for the arbiter: no lease can be renewed while the arbiter is silent, and when it is back the
 * primary needs as long to be seen again as any other needs to be suspected and confirmed. (A game day found a failover that began 60 ms after the arbiter's return.)
 */
export function mayWaitForArbiter(contact: ArbiterContact, nowMs: number, policy: Timing): boolean {
  if (isSilent(contact, nowMs, policy)) return true;
  return contact.backAtMs !== null && nowMs - contact.backAtMs < policy.suspectAfterMs + policy.confirmMs;
}

/** Long enough for a holder to have stopped: it renewed one period before at the latest. An election of the arbiter is shorter. */
function isSilent({ heardAtMs }: ArbiterContact, nowMs: number, { holderStopsMs, leaseRenewMs }: Timing): boolean {
  return nowMs - heardAtMs > holderStopsMs - leaseRenewMs;
}
