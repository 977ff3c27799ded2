/** When a probe was sent: just before the system call, and when it had returned. */
export interface Sending {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly arrived: boolean;
}

export interface LinkHistory {
  readonly sent: number;
  readonly received: number;
  readonly lastArrivedSentMs: number | null;
  readonly firstLostSentMs: number | null;
  readonly lastLostSentMs: number | null;
  /** Forgotten when the next one is lost. */
  readonly firstArrivedAgainSentMs: number | null;
  /** The same, of the first return, however short. */
  readonly firstBackSentMs: number | null;
  readonly arrivedSinceLost: number;
}

export const EMPTY_HISTORY: LinkHistory = {
  sent: 0,
  received: 0,
  lastArrivedSentMs: null,
  firstLostSentMs: null,
  lastLostSentMs: null,
  firstArrivedAgainSentMs: null,
  firstBackSentMs: null,
  arrivedSinceLost: 0,
};

/**
 * What is known of a link after one more probe, in the order of sending. The last sign of the old state counts from before its system
 * call, the first sign of the new one from after it: the change lies between the two, whatever the kernel did in which order.
 */
export function afterProbe(history: LinkHistory, { beforeMs, afterMs, arrived }: Sending): LinkHistory {
  const counted = {
    ...history,
    sent: history.sent + 1,
    received: history.received + (arrived ? 1 : 0),
    arrivedSinceLost: arrived ? history.arrivedSinceLost + 1 : 0,
  };
  if (!arrived) {
    return { ...counted, firstLostSentMs: history.firstLostSentMs ?? afterMs, lastLostSentMs: beforeMs, firstArrivedAgainSentMs: null };
  }
  if (history.firstLostSentMs === null) return { ...counted, lastArrivedSentMs: beforeMs };
  return {
    ...counted,
    firstArrivedAgainSentMs: history.firstArrivedAgainSentMs ?? afterMs,
    firstBackSentMs: history.firstBackSentMs ?? afterMs,
  };
}
