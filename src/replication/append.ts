import type { DatabaseState, Entry } from '../database/database.ts';
import { epochAt } from './epochs.ts';
import type { AppendReply, AppendRequest } from './wire.ts';

export type AppendDecision =
  | { readonly kind: 'reply'; readonly reply: AppendReply }
  /** Cut the log after `truncateAfter` if that is given (its tail diverges and is exported first), append, commit, reply ok. */
  | {
      readonly kind: 'accept';
      readonly truncateAfter: number | null;
      readonly entries: readonly Entry[];
      readonly matchIndex: number;
      readonly commitIndex: number;
    };

/** What a standby does with an append. Entries that it has already are skipped; the first that differs decides. */
export function decideAppend(state: DatabaseState, request: AppendRequest): AppendDecision {
  if (request.epoch < state.sealedEpoch) return { kind: 'reply', reply: { kind: 'epoch-passed', sealedEpoch: state.sealedEpoch } };
  const { log, epochs, commitIndex } = state;
  const mismatch: AppendDecision = { kind: 'reply', reply: { kind: 'mismatch', log: { lastIndex: log.index, commitIndex, epochs } } };
  if (epochAt(epochs, log.index, request.prev.index) !== request.prev.epoch) return mismatch;
  const firstNew = request.entries.findIndex((entry) => epochAt(epochs, log.index, entry.index) !== entry.epoch);
  const entries = firstNew < 0 ? [] : request.entries.slice(firstNew);
  const after = request.prev.index + request.entries.length - entries.length;
  const diverges = entries.length > 0 && log.index > after;
  // Committed here and not there: only a copy of the primary can undo what was applied.
  if (diverges && after < commitIndex) return mismatch;
  const matchIndex = request.prev.index + request.entries.length;
  return {
    kind: 'accept',
    truncateAfter: diverges ? after : null,
    entries,
    matchIndex,
    commitIndex: Math.min(request.commitIndex, matchIndex),
  };
}

export type ResumePoint =
  { readonly kind: 'append'; readonly prevIndex: number } | { readonly kind: 'snapshot'; readonly commonIndex: number };

/** Where the primary goes on after a mismatch: after the common part, or by a snapshot where its own log no longer reaches back so far or the standby applied more. */
export function resumeAfterMismatch(commonIndex: number, primaryBaseIndex: number, standbyCommitIndex: number): ResumePoint {
  if (commonIndex < primaryBaseIndex || commonIndex < standbyCommitIndex) return { kind: 'snapshot', commonIndex };
  return { kind: 'append', prevIndex: commonIndex };
}
