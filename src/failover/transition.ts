import { journalIsOpen, type Journal } from '../arbiter/arbiter.ts';
import { passGate } from './gate.ts';
import { adopt, begin, stepRun } from './run.ts';
import { isFresh } from './setting.ts';
import type { Announcement, Event, Facts, OperatorRequest, Opinion, Setting, State, Transition } from './state.ts';
import { wantedEffects } from './wanted.ts';

export const INITIAL: State = { kind: 'observe' };

/**
 * The failover machine of the leading controller, pure. OBSERVE → SUSPECT → CONFIRMED → GATE are a leader's opinion and made here; from ACQUIRE on it is a run
 * (`run.ts`), whose every step is in the arbiter before it acts. Called with a tick every few milliseconds and with what its effects brought.
 */
export function transition(state: State, event: Event, facts: Facts, setting: Setting): Transition {
  const { state: next, announce } =
    state.kind === 'run' ? stepRun(state, event, facts, setting) : stepOpinion(state, event, facts, setting);
  return { state: next, announce, effects: next.kind === 'run' ? wantedEffects(next, facts, setting) : [] };
}

type Step = Pick<Transition, 'state' | 'announce'>;

function stepOpinion(state: Opinion, event: Event, facts: Facts, setting: Setting): Step {
  const journal = facts.journal?.value ?? null;
  // Somebody's run is open and this controller leads: it is its turn to finish it.
  if (journalIsOpen(journal)) return adopt(journal as Journal, facts, setting);
  if (event.kind === 'operator') return order(state, event.request, facts, setting);
  if (event.kind !== 'tick') return { state, announce: [] };
  return watchPrimary(state, facts, setting);
}

function watchPrimary(state: Opinion, facts: Facts, setting: Setting): Step {
  const holder = facts.lease?.lease.holder ?? null;
  const { quorum } = facts;
  if (holder === null) return { state: { kind: 'observe' }, announce: [] };
  if (quorum.kind === 'none') return { state: { kind: 'observe' }, announce: cleared(state, quorum.why) };
  // One who sees commits overrules all others.
  if (quorum.kind === 'veto') return { state: { kind: 'observe' }, announce: cleared(state, `${quorum.by} sees commits`) };
  const suspected: Announcement[] =
    state.kind === 'observe' ? [{ action: 'primary_suspected', details: { primary: holder, by: quorum.by } }] : [];
  const sinceMs = Math.max(quorum.sinceMs, facts.vetoedAtMs ?? quorum.sinceMs);
  if (facts.nowMs - sinceMs < setting.policy.confirmMs) return { state: { kind: 'suspect' }, announce: suspected };
  return confirmed(state, holder, { facts, setting, suspected });
}

function confirmed(state: Opinion, holder: string, context: { facts: Facts; setting: Setting; suspected: readonly Announcement[] }): Step {
  const { facts, setting, suspected } = context;
  const gate = passGate(facts, holder, setting);
  const by = facts.quorum.kind === 'suspects' ? facts.quorum.by : [];
  const told: readonly Announcement[] =
    state.kind === 'await-approval' ? [] : [...suspected, { action: 'primary_confirmed_down', details: { primary: holder, by } }];
  if (!gate.open) {
    const { reason, estimatedLossSeconds } = gate;
    const waiting: Opinion = { kind: 'await-approval', reason, estimatedLossSeconds };
    const news = state.kind === 'await-approval' ? [] : [{ action: 'awaiting_approval', details: { reason, estimatedLossSeconds } }];
    return { state: waiting, announce: [...told, ...news] };
  }
  const begun = begin({ from: holder, target: null, lossAccepted: false, reason: `${by.join(', ')} see no commit` }, facts, setting);
  return { state: begun.state, announce: [...told, ...begun.announce] };
}

function order(state: Opinion, request: OperatorRequest, facts: Facts, setting: Setting): Step {
  const refusal = whyNot(request, facts, setting);
  const holder = facts.lease?.lease.holder ?? null;
  if (refusal !== null || holder === null) return { state, announce: [{ action: 'failover_refused', details: { reason: refusal } }] };
  const lossAccepted = request.acceptDataLossSeconds !== null;
  return begin({ from: holder, target: request.target, lossAccepted, reason: 'an operator asked for it' }, facts, setting);
}

/** Why an operator's order cannot be followed now; null when it can. */
export function whyNot(request: OperatorRequest, facts: Facts, setting: Setting): string | null {
  const { target, acceptDataLossSeconds } = request;
  const holder = facts.lease?.lease.holder ?? null;
  if (!setting.regions.includes(target)) return `${target} is not a region of this system (${setting.regions.join(', ')})`;
  if (journalIsOpen(facts.journal?.value ?? null))
    return `failover ${facts.journal?.value.runId} is under way (${facts.journal?.value.step})`;
  if (holder === null) return 'there is no primary to fail over from yet';
  if (holder === target) return `${target} is the primary already`;
  const answers = (region: string): boolean => isFresh(facts.databases.get(region), facts.nowMs, setting.policy);
  if (!answers(target)) return `the database of ${target} does not answer`;
  if (acceptDataLossSeconds !== null) {
    const gate = passGate(facts, holder, setting);
    if (!gate.open && gate.estimatedLossSeconds !== null && acceptDataLossSeconds < gate.estimatedLossSeconds) {
      return `${gate.reason}; accept at least ${gate.estimatedLossSeconds} s to go on`;
    }
    return null;
  }
  if (answers(holder)) return null;
  const gate = passGate(facts, holder, { ...setting, policy: { ...setting.policy, antiFlapMs: 0 } });
  return gate.open ? null : `${gate.reason}; say how much loss is accepted to go on`;
}

function cleared(state: Opinion, why: string): readonly Announcement[] {
  return state.kind === 'observe' ? [] : [{ action: 'suspicion_cleared', details: { why } }];
}
