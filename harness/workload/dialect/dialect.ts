import type { Outcome } from '../../history/event.ts';
import type { PlannedOperation } from '../plan.ts';

/** An operation as it goes to the server. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string | null;
}

export interface Answer {
  readonly outcome: Outcome;
  /** get, outcome ok: what was read, null when absent. */
  readonly value: string | null;
  readonly claimedRegion?: string;
  readonly claimedEpoch?: number;
  readonly reason?: string;
}

/**
 * How a ledger's operations are written as HTTP, and its answers read. A write is `ok` only where the answer promises that it is kept, and `failed` only where it promises that it was
 * not and will not be applied; whatever else is said leaves it `unknown`. Pure; never throws on an answer.
 */
export interface Dialect {
  outgoing(operation: PlannedOperation): Outgoing;
  answer(operation: PlannedOperation, status: number, body: string): Answer;
}

export const notUnderstood = ({ op, value }: PlannedOperation): Answer => ({
  outcome: op === 'get' ? 'failed' : 'unknown',
  value,
  reason: 'answer-not-understood',
});
