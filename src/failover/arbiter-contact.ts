import type { Policy } from '../config/policy.ts';

/** When something was last heard, and when it was heard again after a silence that may have stopped the primary; null: there was none. */
interface Contact {
  readonly heardAtMs: number;
  readonly backAtMs: number | null;
}

/** What this controller hears of the arbiter. Two contacts, since an arbiter may tell of changes and answer nothing. */
export interface ArbiterContact {
  /** Anything: news of changes, or answers. */
  readonly news: Contact;
  /** Answers to its own requests; null: it does not lead, and asks nothing. */
  readonly answers: Contact | null;
}

type Timing = Pick<Policy, 'holderStopsMs' | 'leaseRenewMs' | 'suspectAfterMs' | 'confirmMs' | 'leaderRenewMs' | 'arbiterRpcMs'>;

/** Nothing was heard yet: the first word is a return. */
export const NEVER_HEARD: ArbiterContact = { news: { heardAtMs: -Infinity, backAtMs: null }, answers: null };

export function hearNews({ news, answers }: ArbiterContact, nowMs: number, policy: Timing): ArbiterContact {
  return { news: hear(news, nowMs, newsSilenceMs(policy)), answers };
}

export function hearAnswer(before: ArbiterContact, nowMs: number, policy: Timing): ArbiterContact {
  const { news, answers } = hearNews(before, nowMs, policy);
  return { news, answers: answers === null ? null : hear(answers, nowMs, answersSilenceMs(policy)) };
}

/** Whoever begins to lead has been named or was answered just now. */
export function beginToAsk({ news }: ArbiterContact, nowMs: number): ArbiterContact {
  return { news, answers: { heardAtMs: nowMs, backAtMs: null } };
}

/**
 * Whether a primary that is not seen to commit may still be one that only waits for the arbiter: no lease can be renewed while the arbiter is silent, and when it is back the
 * primary needs as long to be seen again as any other needs to be suspected and confirmed. (A game day found a failover that began 60 ms after the arbiter's return.)
 * An arbiter that answers too late for anybody still carries requests out and tells whoever watches: its news are no sign that a lease can be renewed. (Found by the simulator, seed 4770.)
 */
export function mayWaitForArbiter({ news, answers }: ArbiterContact, nowMs: number, policy: Timing): boolean {
  return (
    isAwayOrJustBack(news, nowMs, newsSilenceMs(policy), policy) ||
    (answers !== null && isAwayOrJustBack(answers, nowMs, answersSilenceMs(policy), policy))
  );
}

function isAwayOrJustBack(contact: Contact, nowMs: number, silenceMs: number, { suspectAfterMs, confirmMs }: Timing): boolean {
  if (nowMs - contact.heardAtMs > silenceMs) return true;
  return contact.backAtMs !== null && nowMs - contact.backAtMs < suspectAfterMs + confirmMs;
}

function hear({ heardAtMs, backAtMs }: Contact, nowMs: number, silenceMs: number): Contact {
  return { heardAtMs: nowMs, backAtMs: nowMs - heardAtMs > silenceMs ? nowMs : backAtMs };
}

/** A longer silence may have stopped a holder, which renewed one period before at the latest. An election of the arbiter is shorter. */
function newsSilenceMs({ holderStopsMs, leaseRenewMs }: Timing): number {
  return holderStopsMs - leaseRenewMs;
}

/** A leader asks only so often, and notices only after a while that it was not answered: without that on top an election of the arbiter would count. */
export function answersSilenceMs(policy: Timing): number {
  return newsSilenceMs(policy) + policy.leaderRenewMs + 2 * policy.arbiterRpcMs;
}
