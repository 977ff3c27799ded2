/**
 * What a numbered error of FoundationDB says of the transaction that met it. `again`: nothing was applied, a new try may succeed. `locked`: nothing was applied, the database is
 * locked by somebody. `refused`: nothing was applied and never will be, whatever is tried. `silent`: no answer; nothing was applied. `unknown`: it may have been applied, or may
 * still be: only reading tells.
 */
export type Verdict = 'again' | 'locked' | 'refused' | 'silent' | 'unknown';

/** Before its commit was sent a transaction cannot have changed anything, whatever goes wrong. */
export type Phase = 'before-commit' | 'commit';

export const CODES = {
  timedOut: 1031,
  cancelled: 1025,
  locked: 1038,
  tooOld: 1007,
  apiVersionNotSupported: 2203,
  incompatibleClient: 2125,
} as const;

/** `RETRYABLE_NOT_COMMITTED` of fdb_c (bindings/c/fdb_c.cpp, 7.3), without 1038: its retry loop would wait for an unlock that only we can decide on. */
const NOT_COMMITTED: ReadonlySet<number> = new Set([1007, 1009, 1020, 1037, 1042, 1051, 1078, 1213, 1223]);

/** What is the caller's own mistake, or a limit: keys, values, options, read-only transactions, API. Decided by the client or refused by a proxy as a whole. */
const isRefusal = (code: number): boolean => code >= 2000 && code < 3000;

/**
 * An error that is on no list is taken for the worst: `unknown` after a commit was sent. 1021 and 1039 may have committed by their definition; 1031 (time-out) and 1025
 * (cancelled, also by the collection of a transaction that nobody holds any more) end only our waiting, not the commit. Measured on 7.3.79: of eight commits that failed
 * with 1025, eight were applied.
 */
export function judge(code: number | null, phase: Phase): Verdict {
  if (code === CODES.locked) return 'locked';
  if (code !== null && NOT_COMMITTED.has(code)) return 'again';
  if (code !== null && isRefusal(code)) return 'refused';
  if (phase === 'commit') return 'unknown';
  // Reads may be asked again after anything else that has to do with the network or a recovery; the deadline ends that.
  return code === CODES.timedOut || code === CODES.cancelled ? 'silent' : 'again';
}

/** The number of an error that the client library threw, or null for anything else. */
export function codeOf(error: unknown): number | null {
  const code = error instanceof Error ? (error as { readonly code?: unknown }).code : undefined;
  return typeof code === 'number' ? code : null;
}
