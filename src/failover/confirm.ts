import { mayWaitForArbiter } from './arbiter-contact.ts';
import type { Facts, Setting } from './state.ts';

/**
 * Whether enough observers have suspected the primary for the whole window of confirmation, and nobody has seen it commit meanwhile: a veto begins the window anew.
 * The arbiter must have been there long enough for a primary that had only waited for it.
 */
export function isConfirmedDown({ quorum, vetoedAtMs, arbiter, nowMs }: Facts, { policy }: Setting): boolean {
  if (quorum.kind !== 'suspects' || mayWaitForArbiter(arbiter, nowMs, policy)) return false;
  const sinceMs = Math.max(quorum.sinceMs, vetoedAtMs ?? quorum.sinceMs);
  return nowMs - sinceMs >= policy.confirmMs;
}
