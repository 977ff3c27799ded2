import { journalIsOpen, type Journal } from '../arbiter/arbiter.ts';
import { isConfirmedDown } from './confirm.ts';
import { follow } from './follow.ts';
import { passGate, type Gate } from './gate.ts';
import { recording, rejoined } from './history.ts';
import { order } from './orders.ts';
import { adopt, begin, reopen, stepRun } from './run.ts';
import type { Announcement, Effect, Event, Facts, Opinion, Setting, State, Transition } from './state.ts';
import { wantedEffects } from './wanted.ts';

export const INITIAL: State = { kind: 'observe' };

/**
 * The failover machine of the leading controller, pure. OBSERVE → SUSPECT → CONFIRMED → GATE are a leader's opinion and made here; from then on it is a run
 * (`run.ts`), whose every step is in the arbiter before it acts. Called with a tick every few milliseconds and with what its effects brought.
 */
export function transition(state: State, event: Event, facts: Facts, setting: Setting): Transition {
  const { state: next, announce } =
    state.kind === 'run' ? stepRun(state, event, facts, setting) : stepOpinion(state, event, facts, setting);
  return { state: next, announce, effects: next.kind === 'run' ? wantedEffects(next, facts, setting) : wantedOf(next, facts, setting) };
}

type Step = Pick<Transition, 'state' | 'announce'>;

function wantedOf(state: Opinion, facts: Facts, setting: Setting): readonly Effect[] {
  if (state.kind === 'ask-veto') return [{ kind: 'ask-veto', question: state.question }];
  const back = state.kind === 'observe' ? rejoined(facts) : null;
  return back === null ? [] : [recording(back, facts.history, setting)];
}

function stepOpinion(state: Opinion, event: Event, facts: Facts, setting: Setting): Step {
  const journal = facts.journal?.value ?? null;
  // Somebody's run is open and this controller leads: it is its turn to finish it.
  if (journalIsOpen(journal)) return adopt(journal as Journal, facts, setting);
  if (journal !== null && facts.lease !== null && facts.lease.lease.holder === null) return reopen(journal, facts, setting);
  if (event.kind === 'operator') return order(state, event.request, facts, setting);
  if (event.kind === 'history-recorded') return { state, announce: tellRejoined(event.runId, facts) };
  if (event.kind === 'veto-answered' && state.kind === 'ask-veto' && state.question.runId === event.runId)
    return answered(state, event.veto, facts, setting);
  return event.kind === 'tick' ? watchPrimary(state, facts, setting) : { state, announce: [] };
}

function watchPrimary(state: Opinion, facts: Facts, setting: Setting): Step {
  const holder = facts.lease?.lease.holder ?? null;
  const { quorum } = facts;
  if (holder === null) return { state: { kind: 'observe' }, announce: [] };
  if (quorum.kind !== 'suspects') {
    // One who sees commits overrules all others.
    const why = quorum.kind === 'veto' ? `${quorum.by} sees commits` : quorum.why;
    const following = state.kind === 'observe' ? follow(facts, setting) : null;
    return following ?? { state: { kind: 'observe' }, announce: cleared(state, why) };
  }
  const suspected: Announcement[] =
    state.kind === 'observe' ? [{ action: 'primary_suspected', details: { primary: holder, by: quorum.by } }] : [];
  if (!isConfirmedDown(facts, setting)) return { state: { kind: 'suspect' }, announce: suspected };
  const first = state.kind === 'observe' || state.kind === 'suspect';
  const told = first ? [...suspected, { action: 'primary_confirmed_down', details: { primary: holder, by: quorum.by } }] : [];
  const next = confirmed(state, holder, facts, setting);
  return { state: next.state, announce: [...told, ...next.announce] };
}

function confirmed(state: Opinion, holder: string, facts: Facts, setting: Setting): Step {
  const gate = passGate(facts, holder, setting);
  if (!gate.open) return wait(state, gate, facts);
  const reason = `${suspects(facts)} see no commit`;
  const { candidate, estimatedLossSeconds } = gate;
  if (!setting.vetoProgram) return start(holder, reason, facts, setting);
  const vetoed = state.kind === 'await-approval' && state.blocker === 'veto' && facts.nowMs - state.sinceMs <= setting.policy.vetoHoldsMs;
  if (vetoed || state.kind === 'ask-veto') return { state, announce: [] };
  const question = {
    runId: facts.newRunId,
    from: holder,
    candidate,
    epoch: (facts.lease?.lease.epoch ?? 0) + 1,
    reason,
    estimatedLossSeconds,
  };
  return { state: { kind: 'ask-veto', question }, announce: [{ action: 'veto_asked', details: { ...question } }] };
}

/** The program that may veto has answered. Whether the failover may still begin is asked again: time has passed. */
function answered(state: Extract<Opinion, { kind: 'ask-veto' }>, veto: string | null, facts: Facts, setting: Setting): Step {
  const { from, reason, runId } = state.question;
  if (veto !== null) return wait(state, { open: false, blocker: 'veto', reason: `vetoed: ${veto}`, estimatedLossSeconds: null }, facts);
  const holder = facts.lease?.lease.holder ?? null;
  const gate = holder === from && facts.quorum.kind === 'suspects' ? passGate(facts, from, setting) : null;
  return gate?.open === true ? start(from, reason, facts, setting, runId) : watchPrimary({ kind: 'suspect' }, facts, setting);
}

function start(from: string, reason: string, facts: Facts, setting: Setting, runId = facts.newRunId): Step {
  return begin({ tier: 'automatic', from, target: null, by: null, acceptedLossSeconds: null, reason }, facts, setting, runId);
}

function wait(state: Opinion, { blocker, reason, estimatedLossSeconds }: Extract<Gate, { open: false }>, facts: Facts): Step {
  const before = state.kind === 'await-approval' && state.blocker === blocker ? state : null;
  const waiting: Opinion = { kind: 'await-approval', blocker, reason, estimatedLossSeconds, sinceMs: before?.sinceMs ?? facts.nowMs };
  const details = { blocker, reason, estimatedLossSeconds };
  return { state: waiting, announce: before === null ? [{ action: 'awaiting_approval', details }] : [] };
}

function tellRejoined(runId: string, { history }: Facts): readonly Announcement[] {
  const run = history?.value.runs.find((past) => past.runId === runId);
  return run?.rejoinedAt == null ? [] : [{ action: 'region_rejoined', details: { runId, region: run.from, at: run.rejoinedAt } }];
}

function suspects({ quorum }: Facts): string {
  return quorum.kind === 'suspects' ? quorum.by.join(', ') : 'nobody';
}

function cleared(state: Opinion, why: string): readonly Announcement[] {
  return state.kind === 'observe' ? [] : [{ action: 'suspicion_cleared', details: { why } }];
}
