import { policyBlock } from './gate.ts';
import type { Moved } from './moves.ts';
import { order, whyNot } from './orders.ts';
import { isFresh } from './setting.ts';
import type { Facts, OperatorRequest, Opinion, Setting } from './state.ts';

/** Who asked for a move that nobody asked for. */
export const FOLLOWER = 'coditect-dr';

/**
 * A planned move after a database that has left the primary's region and goes on elsewhere, as FoundationDB does by itself. Nothing is lost and nobody waits for it, so it keeps every rule that a
 * switchover of an operator has and those of automatic failovers as well; where a program may veto those, it is left to people. Once a reign: one that did not succeed is not tried again
 * by itself. Null: there is nothing to follow.
 */
export function follow(facts: Facts, setting: Setting): Moved | null {
  const { policy } = setting;
  const holder = facts.lease?.lease.holder ?? '';
  const primary = facts.databases.get(holder);
  const better = primary?.status.better;
  if (better == null || !isFresh(primary, facts.nowMs, policy)) return null;
  // As long as a primary must be suspected and confirmed.
  if (better.forMs < policy.suspectAfterMs + policy.confirmMs) return null;
  if (setting.vetoProgram || !setting.promotable.includes(better.region)) return null;
  if (wasTried(facts) || policyBlock(facts, setting) !== null) return null;
  const request: OperatorRequest = { kind: 'switchover', target: better.region, by: FOLLOWER };
  const watching: Opinion = { kind: 'observe' };
  return whyNot(watching, request, facts, setting) === null ? order(watching, request, facts, setting) : null;
}

/** A run that changed nothing has the epoch that it would have taken, one that was undone the epoch that is in force. */
function wasTried({ history, lease }: Facts): boolean {
  const epoch = lease?.lease.epoch ?? 0;
  return (history?.value.runs ?? []).some((run) => run.by === FOLLOWER && run.outcome !== 'DONE' && run.epoch >= epoch);
}
