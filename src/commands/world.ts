/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, undecided: 3, interrupted: 130 } as const;

export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}
