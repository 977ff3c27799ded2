/** Exit codes of `gameday`: the contract with CI. */
export const EXIT = { pass: 0, fail: 1, badInput: 2, inconclusive: 3, interrupted: 130 } as const;

export type HarnessErrorCode =
  | 'bad-input'
  | 'unsupported'
  | 'lab-failed'
  | 'cluster-failed'
  | 'timeout'
  | 'nothing-selected'
  | 'missing-tool'
  | 'broken-record'
  | 'internal';

/** The harness's one error class: something is broken. Expected outcomes are unions, not errors. */
export class HarnessError extends Error {
  readonly code: HarnessErrorCode;
  constructor(code: HarnessErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HarnessError';
    this.code = code;
  }
}
