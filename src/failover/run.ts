import type { Journal, Lease, SealedLog } from '../arbiter/arbiter.ts';
import { judgeSealing } from './sealing.ts';
import { passGate } from './gate.ts';
import { INTENTS, announced, enter, stay, unsaved, write, type Moved } from './moves.ts';
import type { Event, Facts, Run, Setting } from './state.ts';
import { isFenced } from './wanted.ts';

export interface Cause {
  readonly from: string;
  readonly target: string | null;
  readonly lossAccepted: boolean;
  readonly reason: string;
}

/** A new run, its first journal entry still to be written. */
export function begin(cause: Cause, facts: Facts, setting: Setting): Moved {
  const { region: owner, incarnation: ownerIncarnation } = setting;
  const epoch = (facts.lease?.lease.epoch ?? 0) + 1;
  const replication = facts.replication?.value;
  const journal: Journal = {
    runId: facts.newRunId,
    epoch,
    from: cause.from,
    to: null,
    target: cause.target,
    step: 'ACQUIRE',
    intent: INTENTS.ACQUIRE,
    reason: cause.reason,
    startedAt: new Date(facts.wallMs).toISOString(),
    mode: replication?.mode ?? setting.replication,
    set: replication?.set ?? [],
    w: replication?.w ?? 1,
    sealed: [],
    failed: [],
    fencedBy: null,
    lossAccepted: cause.lossAccepted,
    owner,
    ownerIncarnation,
    seq: (facts.journal?.value.seq ?? -1) + 1,
  };
  const details = { runId: journal.runId, from: cause.from, target: cause.target, epoch, reason: cause.reason };
  return { state: unsaved(journal, facts), announce: [{ action: 'failover_initiated', details }] };
}

/** Somebody else's open run: this controller writes itself in as the owner, then repeats the step that stands there. */
export function adopt(found: Journal, facts: Facts, setting: Setting): Moved {
  const journal = { ...found, owner: setting.region, ownerIncarnation: setting.incarnation, seq: found.seq + 1 };
  const mine = found.ownerIncarnation === setting.incarnation;
  const details = { runId: found.runId, step: found.step, before: found.owner };
  return { state: unsaved(journal, facts), announce: mine ? [] : [{ action: 'failover_resumed', details }] };
}

/** One event of a run. */
export function stepRun(run: Run, event: Event, facts: Facts, setting: Setting): Moved {
  if (event.kind === 'journal-lost')
    return { state: { kind: 'observe' }, announce: [{ action: 'failover_taken_over', details: { runId: run.journal.runId } }] };
  if (event.kind === 'journal-saved') {
    if (event.seq !== run.journal.seq) return stay(run);
    const saved = { ...run, saved: true, revision: event.revision };
    return run.journal.step === 'DONE' || run.journal.step === 'ABORTED'
      ? { state: { kind: 'observe' }, announce: [] }
      : advance(saved, facts, setting);
  }
  if (event.kind === 'operator') return accept(run, event.request.acceptDataLossSeconds !== null, facts, setting);
  // What arrives before the journal is written belongs to the step before.
  if (!run.saved) return stay(run);
  return learn(run, event, facts, setting);
}

type Learnt = Exclude<Event, { kind: 'journal-lost' | 'journal-saved' | 'operator' }>;

function learn(run: Run, event: Learnt, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  switch (event.kind) {
    case 'set-frozen': {
      const rule = event.replication;
      const frozen = rule === null ? journal : { ...journal, mode: rule.mode, set: rule.set, w: rule.w };
      return advance({ ...run, frozen: true, journal: frozen }, facts, setting);
    }
    case 'fenced':
      return announced(advance({ ...run, fenced: event.log }, facts, setting), 'fence_confirmed', {
        by: 'holder',
        region: event.log.region,
      });
    case 'sealed':
      return announced(advance(withSealed(run, event.log), facts, setting), 'sealed', { ...event.log });
    case 'seal-failed':
      return advance(withFailure(run, event.region), facts, setting);
    case 'promoted':
      if (journal.step !== 'PROMOTE' || event.region !== journal.to || !event.writable) return stay(run);
      return announced(enter(run, 'VERIFY_DB', facts), 'promoted', { region: event.region, epoch: journal.epoch });
    case 'promote-failed':
      return promoteFailed(withFailure(run, event.region), event, facts, setting);
    case 'database-verified':
      return journal.step === 'VERIFY_DB' ? announced(enter(run, 'ROUTE', facts), 'database_verified', { region: journal.to }) : stay(run);
    case 'routed':
      return journal.step === 'ROUTE'
        ? announced(enter(run, 'VERIFY_E2E', facts), 'dns_updated', { region: journal.to, epoch: journal.epoch })
        : stay(run);
    case 'route-superseded':
      return journal.step === 'ROUTE' ? announced(enter(run, 'VERIFY_E2E', facts), 'dns_superseded', { epoch: journal.epoch }) : stay(run);
    case 'end-to-end-verified':
      return journal.step === 'VERIFY_E2E' ? finish(run, 'failover_verified', facts) : stay(run);
    case 'tick':
    case 'lease-refused':
      return advance(run, facts, setting);
    default:
      throw new RangeError(`event ${String(event satisfies never)}`);
  }
}

/** What follows from the facts alone. */
function advance(run: Run, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const fencing = journal.step === 'FENCE_AND_SEAL' || journal.step === 'PROMOTE';
  if (fencing && run.fenced === null && journal.fencedBy === null && isFenced(run, facts, setting)) {
    const waited = { ...run, journal: { ...journal, fencedBy: 'lease' as const } };
    return announced(advance(waited, facts, setting), 'fence_confirmed', { by: 'lease', region: journal.from });
  }
  const lease = facts.lease?.lease;
  if (journal.step === 'ACQUIRE') return afterAcquire(run, lease, facts);
  if (lease !== undefined && lease.epoch >= journal.epoch && lease.holder !== null) {
    const moved = withHolder(run, lease, facts, setting);
    if (moved !== null) return moved;
  }
  if (journal.step === 'FENCE_AND_SEAL') return afterSealing(run, facts, setting);
  if (facts.nowMs - run.enteredAtMs <= setting.policy.stepTimeoutMs || run.overdue) return stay(run);
  const overdue = announced(stay({ ...run, overdue: true }), 'step_overdue', { runId: journal.runId, step: journal.step });
  // The database serves and the name points to it: what is wrong now is for people, and must not keep the next failover from beginning.
  return journal.step === 'VERIFY_E2E' ? finish(run, 'failover_unverified', facts) : overdue;
}

function afterAcquire(run: Run, lease: Lease | undefined, facts: Facts): Moved {
  const { journal } = run;
  if (lease === undefined) return stay(run);
  if (lease.epoch === journal.epoch && lease.holder === null && lease.incarnation === journal.runId) {
    return announced(enter(run, 'FENCE_AND_SEAL', facts), 'epoch_acquired', { epoch: journal.epoch, runId: journal.runId });
  }
  const why =
    lease.epoch >= journal.epoch
      ? `${lease.holder ?? 'another run'} has epoch ${lease.epoch}`
      : journal.target === null && facts.quorum.kind === 'veto'
        ? `${facts.quorum.by} sees commits again`
        : null;
  if (why === null) return stay(run);
  const aborted = write(run, { ...journal, step: 'ABORTED', intent: why }, facts);
  return announced(aborted, 'failover_aborted', { runId: journal.runId, why });
}

/** A database holds the run's epoch (or a later one that it took itself after a restart). */
function withHolder(run: Run, lease: Lease, facts: Facts, setting: Setting): Moved | null {
  const { journal } = run;
  const holder = lease.holder as string;
  const { policy } = setting;
  const down = facts.quorum.kind === 'suspects' && facts.nowMs - facts.quorum.sinceMs >= policy.confirmMs;
  if (down && passGate(facts, holder, { ...setting, policy: { ...policy, antiFlapMs: 0 } }).open) {
    // The new primary went down as well: the same run goes on with the next epoch.
    const again = {
      ...journal,
      epoch: lease.epoch + 1,
      from: holder,
      to: null,
      target: null,
      step: 'ACQUIRE' as const,
      sealed: [],
      failed: [],
      fencedBy: null,
    };
    return announced(write(run, again, facts), 'failover_restarted', { runId: journal.runId, from: holder, epoch: again.epoch });
  }
  if (holder === journal.to) return null;
  return write(run, { ...journal, to: holder, step: journal.step === 'FENCE_AND_SEAL' ? 'PROMOTE' : journal.step }, facts);
}

function afterSealing(run: Run, facts: Facts, setting: Setting): Moved {
  if (!run.frozen) return stay(run);
  const { journal } = run;
  const sealing = judgeSealing(run, setting);
  if (sealing.kind === 'reached') {
    const [to] = sealing.candidates;
    if (to === undefined || !everybodyAsked(run, facts, setting)) return stay(run);
    const fencedBy = run.fenced === null ? journal.fencedBy : ('holder' as const);
    const behind =
      journal.target !== null && journal.target !== to
        ? [{ action: 'target_behind', details: { target: journal.target, instead: to } }]
        : [];
    const moved = enter({ ...run, journal: { ...journal, to, fencedBy } }, 'PROMOTE', facts);
    return { ...moved, announce: [...behind, ...moved.announce] };
  }
  if (run.awaiting !== null || !isFenced(run, facts, setting) || Object.keys(run.failures).length === 0) return stay(run);
  return announced(stay({ ...run, awaiting: sealing.why }), 'awaiting_approval', { runId: journal.runId, reason: sealing.why });
}

/** Another member may still answer with a longer log; nothing is lost by waiting for it until the fence is certain. */
function everybodyAsked(run: Run, facts: Facts, setting: Setting): boolean {
  const { journal, failures } = run;
  const asked = (region: string): boolean =>
    region === journal.from || (failures[region] ?? 0) > 0 || journal.sealed.some((log) => log.region === region);
  return setting.regions.every(asked) || isFenced(run, facts, setting);
}

function promoteFailed(run: Run, event: { region: string; why: string }, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const lease = facts.lease?.lease;
  const taken = lease !== undefined && lease.epoch === journal.epoch && lease.holder !== null;
  // It holds the lease already and was only slow, or it may still answer the second time.
  if (journal.step !== 'PROMOTE' || event.region !== journal.to || taken || (run.failures[event.region] ?? 0) < 2) return stay(run);
  const sealing = judgeSealing({ ...run, failures: {} }, setting);
  const candidates = sealing.kind === 'reached' ? sealing.candidates : journal.sealed.map(({ region }) => region);
  const failed = [...new Set([...journal.failed, event.region])];
  const next = candidates.find((region) => !failed.includes(region));
  const told = { runId: journal.runId, region: event.region, why: event.why, next: next ?? event.region };
  const change = next === undefined ? { failed: [], to: candidates[0] ?? event.region } : { failed, to: next };
  return announced(write({ ...run, failures: {} }, { ...journal, ...change }, facts), 'promote_failed', told);
}

function accept(run: Run, lossAccepted: boolean, facts: Facts, setting: Setting): Moved {
  if (!lossAccepted || run.awaiting === null || run.journal.step !== 'FENCE_AND_SEAL') return stay(run);
  return advance({ ...run, awaiting: null, journal: { ...run.journal, lossAccepted: true } }, facts, setting);
}

function finish(run: Run, action: string, facts: Facts): Moved {
  const { journal } = run;
  const details = {
    runId: journal.runId,
    from: journal.from,
    to: journal.to,
    epoch: journal.epoch,
    durationMs: facts.wallMs - Date.parse(journal.startedAt),
  };
  const moved = enter(run, 'DONE', facts);
  return {
    ...moved,
    announce: [
      { action, details: { region: journal.to } },
      { action: 'failover_complete', details },
    ],
  };
}

function withSealed(run: Run, log: SealedLog): Run {
  const sealed = [...run.journal.sealed.filter(({ region }) => region !== log.region), log];
  return { ...run, journal: { ...run.journal, sealed } };
}

function withFailure(run: Run, region: string): Run {
  return { ...run, failures: { ...run.failures, [region]: (run.failures[region] ?? 0) + 1 } };
}
