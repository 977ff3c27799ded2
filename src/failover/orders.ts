import { journalIsOpen } from '../arbiter/arbiter.ts';
import { behindText } from '../replication/lag.ts';
import { lossGate } from './gate.ts';
import { ANY_LOSS_SECONDS, estimateLossSeconds } from './loss.ts';
import type { Moved } from './moves.ts';
import { begin, type Cause } from './run.ts';
import { isFresh } from './setting.ts';
import type { Facts, OperatorRequest, Opinion, Run, Setting, State } from './state.ts';

type Verdict = { readonly ok: true; readonly cause: Cause } | { readonly ok: false; readonly why: string };

/** Why an operator's order cannot be followed now; null when it can. */
export function whyNot(state: State, request: OperatorRequest, facts: Facts, setting: Setting): string | null {
  if (state.kind === 'run') return whyNotWithin(state, request, facts, setting);
  const verdict = judge(state, request, facts, setting);
  return verdict.ok ? null : verdict.why;
}

/** Follows the order where nothing is under way yet. */
export function order(state: Opinion, request: OperatorRequest, facts: Facts, setting: Setting): Moved {
  const verdict = judge(state, request, facts, setting);
  if (!verdict.ok) return { state, announce: [{ action: 'failover_refused', details: { reason: verdict.why, order: request.kind } }] };
  return begin(verdict.cause, facts, setting);
}

function whyNotWithin(run: Run, request: OperatorRequest, facts: Facts, setting: Setting): string | null {
  const { journal, awaiting, overdue } = run;
  const { runId, step, tier, to } = journal;
  if (request.kind !== 'approve' && request.kind !== 'forced') return `${tier} ${runId} is under way (${step})`;
  const holder = facts.lease?.lease.holder ?? null;
  // Where too few are left to find that the new primary is down as well, the operator is relied on, as before a run.
  if (request.kind === 'forced' && holder !== null && (awaiting === null ? overdue : awaiting.anew === true)) {
    const why = whyNoTarget(request.target, holder, facts, setting);
    if (why !== null) return why;
    const verdict = forced(request, holder, facts, setting);
    return verdict.ok ? null : verdict.why;
  }
  if (awaiting === null) return `${tier} ${runId} is under way (${step}) and waits for nobody's approval`;
  const next = awaiting.instead ?? to;
  if (request.kind === 'forced' && awaiting.blocker === 'loss' && next !== null && next !== request.target)
    return `${tier} ${runId} waits for an approval to promote ${next}: ${awaiting.reason}`;
  return awaiting.blocker === 'loss' ? tooLittle(request.acceptedLossSeconds, awaiting.estimatedLossSeconds, awaiting.reason) : null;
}

function whyNoTarget(target: string, holder: string, facts: Facts, setting: Setting): string | null {
  if (!setting.regions.includes(target)) return `${target} is not a region of this system (${setting.regions.join(', ')})`;
  if (holder === target) return `${target} is the primary already`;
  return isFresh(facts.databases.get(target), facts.nowMs, setting.policy) ? null : `the database of ${target} does not answer`;
}

function judge(state: Opinion, request: OperatorRequest, facts: Facts, setting: Setting): Verdict {
  const holder = facts.lease?.lease.holder ?? null;
  const journal = facts.journal?.value ?? null;
  if (journalIsOpen(journal)) return no(`${journal?.tier} ${journal?.runId} is under way (${journal?.step})`);
  if (holder === null) return no('there is no primary to move away from yet');
  if (request.kind === 'approve') return approve(state, request, holder, { facts, setting });
  const target = request.kind === 'failback' ? setting.primaryRegion : request.target;
  const unfit = whyNoTarget(target, holder, facts, setting);
  if (unfit !== null) return no(unfit);
  switch (request.kind) {
    case 'switchover':
    case 'failback':
      return planned(request, target, holder, { facts, setting });
    case 'failover':
      return diagnosed(request, holder, facts, setting);
    case 'forced':
      return forced(request, holder, facts, setting);
    default:
      throw new RangeError(`order ${String(request satisfies never)}`);
  }
}

type Context = { readonly facts: Facts; readonly setting: Setting };

/** Only from a primary that answers: it has to confirm that it stopped. */
function planned(
  request: Extract<OperatorRequest, { kind: 'switchover' | 'failback' }>,
  target: string,
  holder: string,
  { facts, setting }: Context,
): Verdict {
  const primary = facts.databases.get(holder);
  if (primary === undefined || !isFresh(primary, facts.nowMs, setting.policy) || !primary.status.writable)
    return no(`${holder} does not serve, so it cannot hand over; if it is down: coditect-dr failover --target=${target}`);
  if (facts.quorum.kind === 'suspects')
    return no(`${facts.quorum.by.join(', ')} see no commits in ${holder}; if it is down: coditect-dr failover --target=${target}`);
  const standby = primary.status.standbys[target];
  if (standby === undefined) return no(`${holder} does not ship to ${target}`);
  if (!standby.inSync && primary.status.mode === 'sync') return no(`${target} is not in sync with ${holder} (${behindText(standby)})`);
  if (request.kind === 'failback') {
    const sinceMs = facts.inSyncSinceMs.get(target);
    const stableMs = sinceMs === undefined ? 0 : facts.nowMs - sinceMs;
    if (stableMs < setting.policy.failbackStableMs) {
      const need = setting.policy.failbackStableMs / 1000;
      return no(
        `${target} has been in sync for ${Math.floor(stableMs / 1000)} s without a break; it is to be ${need} s before the service goes back`,
      );
    }
  }
  const { kind: tier, by } = request;
  return yes({ tier, from: holder, target, by, acceptedLossSeconds: null, reason: `${by} asked for it` });
}

function diagnosed(request: Extract<OperatorRequest, { kind: 'failover' }>, holder: string, facts: Facts, setting: Setting): Verdict {
  const { by, target } = request;
  const { quorum } = facts;
  const instead = `a planned move is coditect-dr switchover --target=${target}`;
  if (quorum.kind === 'veto') return no(`${holder} serves: ${quorum.by} sees commits; ${instead}`);
  if (quorum.kind === 'none')
    return no(`${holder} is not diagnosed as down: ${quorum.why}; ${instead}, and --force overrules the diagnosis`);
  const gate = lossGate(facts, holder, setting);
  if (!gate.open) return no(`${gate.reason}; ${howMuch(gate.estimatedLossSeconds)}`);
  const reason = `${by} asked for it; ${quorum.by.join(', ')} see no commit`;
  return yes({ tier: 'failover', from: holder, target, by, acceptedLossSeconds: null, reason });
}

function forced(request: Extract<OperatorRequest, { kind: 'forced' }>, holder: string, facts: Facts, setting: Setting): Verdict {
  const { by, target, acceptedLossSeconds } = request;
  const gate = lossGate(facts, holder, setting);
  const estimate = gate.open && facts.replication?.value.mode === 'sync' ? 0 : estimateLossSeconds(facts, holder, target, setting);
  const short = tooLittle(acceptedLossSeconds, estimate, gate.open ? `${target} may lack writes` : gate.reason);
  if (short !== null) return no(short);
  return yes({ tier: 'forced', from: holder, target, by, acceptedLossSeconds, reason: `${by} forced it` });
}

function approve(
  state: Opinion,
  request: Extract<OperatorRequest, { kind: 'approve' }>,
  holder: string,
  { facts, setting }: Context,
): Verdict {
  const { by, acceptedLossSeconds } = request;
  if (state.kind !== 'await-approval') return no('nothing waits for an approval');
  const gate = lossGate(facts, holder, setting);
  const short = gate.open ? null : tooLittle(acceptedLossSeconds, gate.estimatedLossSeconds, gate.reason);
  if (short !== null) return no(short);
  const cause = { tier: 'automatic', from: holder, target: null, by } as const;
  return yes({ ...cause, acceptedLossSeconds: gate.open ? null : acceptedLossSeconds, reason: `${by} approved it: ${state.reason}` });
}

/** Why the number that was typed is not enough; null when it is. Where nobody can tell the loss, only the consent to any loss will do. */
function tooLittle(accepted: number | null, estimate: number | null, reason: string): string | null {
  if (accepted === ANY_LOSS_SECONDS) return null;
  if (accepted === null || estimate === null || accepted < estimate) return `${reason}; ${howMuch(estimate)}`;
  return null;
}

function howMuch(estimate: number | null): string {
  return estimate === null
    ? 'how much may be lost is not known: only --force --accept-data-loss=any goes on'
    : `up to ${estimate} s of writes may be lost: --force --accept-data-loss=${Math.ceil(estimate)} goes on`;
}

function no(why: string): Verdict {
  return { ok: false, why };
}
function yes(cause: Cause): Verdict {
  return { ok: true, cause };
}
