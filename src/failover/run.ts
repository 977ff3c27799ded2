import type { Journal, SealedLog, Tier } from '../arbiter/arbiter.ts';
import { advance, restart } from './advance.ts';
import { end } from './ending.ts';
import { leaseTimes } from './fencing.ts';
import { INTENTS, announced, directOverAtMs, enter, stay, stepTime, unsaved, write, type Moved } from './moves.ts';
import { promoteFailed } from './promotion.ts';
import type { Announcement, Event, Facts, OperatorRequest, Run, Setting } from './state.ts';

export interface Cause {
  readonly tier: Tier;
  readonly from: string;
  readonly target: string | null;
  readonly by: string | null;
  readonly acceptedLossSeconds: number | null;
  readonly reason: string;
}

/** A new run, its first journal entry still to be written. */
export function begin(cause: Cause, facts: Facts, setting: Setting, runId = facts.newRunId): Moved {
  const { region: owner, incarnation: ownerIncarnation } = setting;
  const { tier, from, target, by, acceptedLossSeconds, reason } = cause;
  const planned = tier === 'switchover' || tier === 'failback';
  const epoch = (facts.lease?.lease.epoch ?? 0) + 1;
  const replication = facts.replication?.value;
  const first = { step: planned ? 'PREPARE' : 'ACQUIRE', startedAt: new Date(facts.wallMs).toISOString() } as const;
  const journal: Journal = {
    runId,
    tier,
    course: planned ? 'planned' : 'urgent',
    by,
    epoch,
    from,
    to: null,
    target,
    ...first,
    intent: INTENTS[first.step],
    reason,
    because: null,
    steps: [stepTime(first, facts)],
    restarts: 0,
    mode: replication?.mode ?? setting.replication,
    set: replication?.set ?? [],
    w: replication?.w ?? 1,
    sealed: [],
    failed: [],
    fencedBy: null,
    acceptedLossSeconds,
    owner,
    ownerIncarnation,
    seq: (facts.journal?.value.seq ?? -1) + 1,
  };
  return {
    state: unsaved(journal, facts),
    announce: [{ action: 'failover_initiated', details: { runId, tier, from, target, epoch, by, reason } }, ...outlasting(facts, setting)],
  };
}

/** People are told where the old lease lasts longer than this controller's policy would have it: until it is over, nobody serves. */
function outlasting({ lease }: Facts, { policy }: Setting): Announcement[] {
  const waitMs = leaseTimes(lease?.lease ?? null, policy).successorWaitsMs;
  if (waitMs === policy.successorWaitsMs) return [];
  return [{ action: 'lease_lasts_longer', details: { holder: lease?.lease.holder, waitMs, ownWaitMs: policy.successorWaitsMs } }];
}

/** Somebody else's open run: this controller writes itself in as the owner, then repeats the step that stands there. */
export function adopt(found: Journal, facts: Facts, setting: Setting): Moved {
  const journal = { ...found, owner: setting.region, ownerIncarnation: setting.incarnation, seq: found.seq + 1 };
  const mine = found.ownerIncarnation === setting.incarnation;
  const details = { runId: found.runId, step: found.step, before: found.owner };
  return { state: unsaved(journal, facts), announce: mine ? [] : [{ action: 'failover_resumed', details }] };
}

/**
 * An epoch that was taken although its run had ended: the run was aborted while the arbiter still had the request for the lease. Nobody serves, so the run is opened again.
 */
export function reopen(found: Journal, facts: Facts, setting: Setting): Moved {
  const lease = facts.lease?.lease;
  const { runId, epoch } = lease === undefined ? found : { runId: lease.incarnation, epoch: lease.epoch };
  const because = 'the epoch was taken after the run had been aborted';
  const journal: Journal = { ...found, runId, epoch, step: 'FENCE_AND_SEAL', intent: INTENTS.FENCE_AND_SEAL, because };
  const { state } = adopt({ ...journal, to: null, sealed: [], failed: [], fencedBy: null, course: 'urgent' }, facts, setting);
  return { state, announce: [{ action: 'failover_resumed', details: { runId, step: journal.step, because } }] };
}

/** One event of a run. */
export function stepRun(run: Run, event: Event, facts: Facts, setting: Setting): Moved {
  const { runId } = run.journal;
  if (event.kind === 'journal-lost') return lost(run, facts);
  if (event.kind === 'history-recorded') return event.runId === runId ? stay({ ...run, recorded: true }) : stay(run);
  if (event.kind === 'journal-saved') {
    if (event.seq !== run.journal.seq) return stay(run);
    const saved = { ...run, saved: true, revision: event.revision };
    return isOver(run) ? { state: { kind: 'observe' }, announce: [] } : advance(saved, facts, setting);
  }
  if (event.kind === 'operator') return accept(run, event.request, facts, setting);
  // What arrives before the journal is written belongs to the step before.
  if (!run.saved) return stay(run);
  return learn(run, event, facts, setting);
}

/** To another controller, but where it is its own earlier entry: an approval may come while that is being written, and what was cancelled may have been carried out. */
function lost(run: Run, { journal: held }: Facts): Moved {
  const { runId, ownerIncarnation, seq } = run.journal;
  const isOwn = held !== null && held.value.runId === runId && held.value.ownerIncarnation === ownerIncarnation;
  if (isOwn && held.value.seq < seq && held.revision !== run.revision) return stay({ ...run, revision: held.revision });
  return { state: { kind: 'observe' }, announce: [{ action: 'failover_taken_over', details: { runId } }] };
}

function isOver({ journal: { step } }: Run): boolean {
  return step === 'DONE' || step === 'ABORTED' || step === 'UNDONE';
}

type Learnt = Exclude<Event, { kind: 'journal-lost' | 'journal-saved' | 'history-recorded' | 'operator' }>;

function learn(run: Run, event: Learnt, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const { step, epoch, to: region } = journal;
  switch (event.kind) {
    case 'ttl-lowered':
      return step === 'PREPARE' ? advance({ ...run, announced: true }, facts, setting) : stay(run);
    case 'set-frozen': {
      const rule = event.replication;
      const frozen = rule === null ? journal : { ...journal, mode: rule.mode, set: rule.set, w: rule.w };
      return advance({ ...run, frozen: true, journal: frozen }, facts, setting);
    }
    case 'fenced': {
      const { log } = event;
      return announced(advance({ ...run, fenced: log, fencedAtMs: run.fencedAtMs ?? facts.nowMs }, facts, setting), 'fence_confirmed', {
        by: 'holder',
        region: log.region,
      });
    }
    case 'caught-up':
      return event.region === journal.target ? advance({ ...run, caughtUp: true }, facts, setting) : stay(run);
    case 'sealed':
      return announced(advance(withSealed(run, event.log, facts), facts, setting), 'sealed', { ...event.log });
    case 'seal-failed':
      return advance(withFailure(run, event.region), facts, setting);
    case 'promoted':
      if (step !== 'PROMOTE' || event.region !== region || !event.writable) return stay(run);
      return announced(enter(run, 'VERIFY_DB', facts), 'promoted', { region: event.region, epoch });
    case 'promote-failed':
      return promoteFailed(withFailure(run, event.region), event, facts, setting);
    case 'database-verified':
      return step === 'VERIFY_DB' ? announced(enter(run, 'ROUTE', facts), 'database_verified', { region }) : stay(run);
    case 'routed':
      return step === 'ROUTE' ? announced(enter(run, 'VERIFY_E2E', facts), 'dns_updated', { region, epoch }) : stay(run);
    case 'route-superseded':
      return step === 'ROUTE' ? announced(enter(run, 'VERIFY_E2E', facts), 'dns_superseded', { epoch }) : stay(run);
    case 'end-to-end-verified':
      return step === 'VERIFY_E2E' ? verified(run, facts) : stay(run);
    case 'veto-answered':
    case 'tick':
    case 'lease-refused':
      return advance(run, facts, setting);
    default:
      throw new RangeError(`event ${String(event satisfies never)}`);
  }
}

/** An undone run is over; the others watch the new primary for a while. */
function verified(run: Run, facts: Facts): Moved {
  const { to: region, course, runId } = run.journal;
  if (course === 'undo') return end(run, 'UNDONE', run.journal.because, facts);
  return announced(enter(run, 'STABILISE', facts), 'failover_verified', { region, runId });
}

/** What a run waits for in AWAIT_APPROVAL, or an operator's word that the new primary is down as well (`whyNot` has let it pass). */
function accept(run: Run, request: OperatorRequest, facts: Facts, setting: Setting): Moved {
  if (request.kind !== 'approve' && request.kind !== 'forced') return stay(run);
  const { acceptedLossSeconds, by } = request;
  const lease = facts.lease?.lease;
  if (run.awaiting === null || run.awaiting.anew === true) {
    if (lease?.holder == null || (run.awaiting === null && request.kind === 'approve')) return stay(run);
    const forced = request.kind === 'forced' ? ({ tier: 'forced', target: request.target } as const) : {};
    return restart(run, lease, facts, { by, acceptedLossSeconds, ...forced });
  }
  const { acceptedLossSeconds: before, failed, to } = run.journal;
  const { instead } = run.awaiting;
  const passed = instead === undefined || to === null ? { failed, to } : { failed: [...failed, to], to: instead };
  const journal = { ...run.journal, ...passed, acceptedLossSeconds: acceptedLossSeconds ?? before, by };
  const told = { runId: journal.runId, by, acceptedLossSeconds, reason: run.awaiting.reason };
  // Whoever is being promoted reads there that it may go on without what it lacks.
  const moved = journal.step === 'PROMOTE' ? write(run, journal, facts) : advance({ ...run, awaiting: null, journal }, facts, setting);
  return announced(moved, 'approved', told);
}

function withSealed(run: Run, log: SealedLog, { nowMs }: Facts): Run {
  const sealed = [...run.journal.sealed.filter(({ region }) => region !== log.region), log];
  const overAtMs = Math.min(run.directOverAtMs ?? Infinity, directOverAtMs([log], nowMs) ?? Infinity);
  return { ...run, directOverAtMs: overAtMs, journal: { ...run.journal, sealed } };
}

function withFailure(run: Run, region: string): Run {
  return { ...run, failures: { ...run.failures, [region]: (run.failures[region] ?? 0) + 1 } };
}
