/** The kubelet's: at once the first time, then 10 s, 20 s … 5 min; a container that ran for 10 min starts afresh. */
const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 300_000;
const RESET_AFTER_MS = 600_000;

/** As a cluster needs seconds to schedule and start a new pod in the place of a killed one. */
export const POD_REPLACEMENT_DELAY_MS = 3000;

export interface Restart {
  readonly delayMs: number;
  /** To be handed in at the next exit. */
  readonly restarts: number;
}

/** When a container that ended after running for `ranForMs` starts again, `restarts` having happened before. Pure. */
export function nextRestart(restarts: number, ranForMs: number): Restart {
  const earlier = ranForMs >= RESET_AFTER_MS ? 0 : restarts;
  const delayMs = earlier === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (earlier - 1), LONGEST_BACKOFF_MS);
  return { delayMs, restarts: earlier + 1 };
}
