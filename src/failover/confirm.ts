import type { Facts, Setting } from './state.ts';

/** Whether enough observers have suspected the primary for the whole window of confirmation, and nobody has seen it commit meanwhile: a veto begins the window anew. */
export function isConfirmedDown({ quorum, vetoedAtMs, nowMs }: Facts, { policy }: Setting): boolean {
  if (quorum.kind !== 'suspects') return false;
  const sinceMs = Math.max(quorum.sinceMs, vetoedAtMs ?? quorum.sinceMs);
  return nowMs - sinceMs >= policy.confirmMs;
}
