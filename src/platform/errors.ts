/** The seed's error kinds plus what its sketch left out; the code is stable and is what operators search for. */
export type EngineErrorCode =
  | 'failover-failed'
  | 'backup-failed'
  | 'backup-damaged'
  | 'backup-differs'
  | 'backup-unsupported'
  | 'object-store-failed'
  | 'object-store-transient'
  | 'key-service-failed'
  | 'health-check-failed'
  | 'replication-lag-exceeded'
  | 'bad-config'
  | 'bad-request'
  | 'forbidden'
  | 'not-primary'
  | 'lease-lost'
  | 'epoch-passed'
  | 'no-sync-standby'
  | 'arbiter-unavailable'
  | 'dns-failed'
  | 'kubernetes-failed'
  | 'database-broken'
  | 'database-is-copy'
  | 'database-locked'
  | 'database-unavailable'
  | 'timeout'
  | 'internal';

/** The engine's one error class: something is broken. Expected outcomes are unions, not errors. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EngineError';
    this.code = code;
  }
}

/** Whether that is what was thrown: an error of ours with one of these codes. */
export function isEngineError(error: unknown, ...codes: readonly EngineErrorCode[]): error is EngineError {
  return error instanceof EngineError && codes.includes(error.code);
}
