import type { Journal, Lease } from '../arbiter/arbiter.ts';
import { isConfirmedDown } from './confirm.ts';
import { end } from './ending.ts';
import { lossGate, policyBlock, steadyGate, type Closed } from './gate.ts';
import { announced, awaitApproval, enter, stay, write, type Moved } from './moves.ts';
import { afterPrepare, afterSealingPlanned, afterUndo } from './planned.ts';
import { afterSealing } from './promotion.ts';
import { pauseInForce } from './maintenance.ts';
import type { Facts, Run, Setting } from './state.ts';
import { isFenced } from './wanted.ts';

/** What follows for a run from the facts alone. */
export function advance(run: Run, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const { step, course } = journal;
  if (step === 'PREPARE') return afterPrepare(run, facts, setting);
  const fencing = step === 'FENCE_AND_SEAL' || step === 'PROMOTE';
  if (fencing && course === 'urgent' && run.fenced === null && journal.fencedBy === null && isFenced(run, facts, setting)) {
    const waited = { ...run, journal: { ...journal, fencedBy: 'lease' as const } };
    return announced(advance(waited, facts, setting), 'fence_confirmed', { by: 'lease', region: journal.from });
  }
  const lease = facts.lease?.lease;
  if (step === 'ACQUIRE') return afterAcquire(run, lease, facts);
  if (lease !== undefined && lease.holder === null && lease.epoch > journal.epoch) return takenAfterAll(run, lease, facts);
  if (step === 'STABILISE') return whileStabilising(run, facts, setting);
  if (lease !== undefined && lease.epoch >= journal.epoch && lease.holder !== null) {
    const moved = withHolder(run, lease, facts, setting);
    if (moved !== null) return moved;
  }
  if (step === 'FENCE_AND_SEAL') return course === 'planned' ? afterSealingPlanned(run, facts, setting) : afterSealing(run, facts, setting);
  if (step === 'PROMOTE' && course === 'undo' && lease?.holder === null) return afterUndo(run, facts, setting);
  return overdue(run, facts, setting);
}

function overdue(run: Run, facts: Facts, setting: Setting): Moved {
  const { runId, step, course, to } = run.journal;
  if (facts.nowMs - run.enteredAtMs <= setting.policy.stepTimeoutMs || run.overdue) return stay(run);
  if (step !== 'VERIFY_E2E') return announced(stay({ ...run, overdue: true }), 'step_overdue', { runId, step });
  // The database serves and the name points to it: what is wrong now is for people, and must not keep the next failover from beginning.
  const because = `nobody could write through the name within ${setting.policy.stepTimeoutMs} ms`;
  return announced(end(run, course === 'undo' ? 'UNDONE' : 'DONE', because, facts), 'failover_unverified', { runId, region: to });
}

function afterAcquire(run: Run, lease: Lease | undefined, facts: Facts): Moved {
  const { journal } = run;
  const { runId, epoch } = journal;
  if (lease === undefined) return stay(run);
  if (lease.epoch === epoch && lease.holder === null && lease.incarnation === runId)
    return announced(enter(run, 'FENCE_AND_SEAL', facts), 'epoch_acquired', { epoch, runId });
  const back =
    lease.epoch >= epoch
      ? `${lease.holder ?? 'another run'} has epoch ${lease.epoch}`
      : journal.tier === 'automatic' && facts.quorum.kind === 'veto'
        ? `${facts.quorum.by} sees commits again`
        : null;
  // One that an operator approved is the operator's.
  const pause = journal.tier === 'automatic' && journal.by === null ? pauseInForce(facts.maintenance, facts.wallMs) : null;
  // What this run had promoted before serves again: that is to be verified and published, and is no run without effect.
  if (journal.restarts > 0 && back !== null && lease.holder !== null)
    return write(run, { ...journal, epoch: lease.epoch, to: lease.holder, step: 'VERIFY_DB', because: back }, facts);
  const why = back ?? (pause === null || journal.restarts > 0 ? null : `paused by ${pause.by}`);
  return why === null ? stay(run) : end(run, 'ABORTED', why, facts);
}

/** A database holds the run's epoch (or a later one that it took itself after a restart). */
function withHolder(run: Run, lease: Lease, facts: Facts, setting: Setting): Moved | null {
  const { journal } = run;
  const holder = lease.holder as string;
  const isDown = isConfirmedDown(facts, setting);
  const block = isDown ? whyNotAnew(facts, holder, setting) : null;
  if (isDown && block === null && steadyGate(facts, holder, setting).open) return restart(run, lease, facts);
  if (holder === journal.to) {
    // Restarted while it was being promoted, it took the next epoch itself: it refuses what is asked of it in the old one for ever, and has done it.
    const tookMore = journal.step === 'PROMOTE' && lease.epoch > journal.epoch;
    if (tookMore) return announced(enter(run, 'VERIFY_DB', facts), 'promoted', { region: holder, epoch: lease.epoch });
    if (block !== null) return askToBeginAnew(run, holder, block);
    // Whatever was asked before: it serves, or is about to.
    return run.awaiting === null ? null : stay({ ...run, awaiting: null });
  }
  const step = journal.step === 'FENCE_AND_SEAL' ? 'PROMOTE' : journal.step;
  const undone = journal.course === 'planned' && holder === journal.from;
  // The target took the lease after all, before it was undone.
  const done = journal.course === 'undo' ? ({ course: 'planned', because: null } as const) : {};
  return write(run, { ...journal, to: holder, step, ...(undone ? { course: 'undo' as const } : done) }, facts);
}

/** What keeps a run from beginning anew by itself where its new primary is down. That it began so lately is no reason: it is the same failover. */
function whyNotAnew(facts: Facts, holder: string, setting: Setting): Closed | null {
  const gate = lossGate(facts, holder, setting);
  if (!gate.open) return gate;
  const block = policyBlock(facts, setting);
  return block?.blocker === 'flapping' ? null : block;
}

/** Once: nobody serves, and people are the only ones who may leave what it has alone. */
function askToBeginAnew(run: Run, holder: string, { blocker, reason, estimatedLossSeconds }: Closed): Moved | null {
  if (run.awaiting?.anew === true && run.awaiting.blocker === blocker) return null;
  return awaitApproval(run, { blocker, reason: `${holder} went down as well; ${reason}`, estimatedLossSeconds, anew: true });
}

/** The new primary went down as well: the same run goes on with the next epoch. `word`: of whoever approved or ordered that. */
export function restart(
  run: Run,
  lease: Lease,
  facts: Facts,
  word: Partial<Pick<Journal, 'by' | 'tier' | 'target' | 'acceptedLossSeconds'>> = {},
): Moved {
  const { journal } = run;
  const holder = lease.holder as string;
  const fresh = { to: null, target: null, fencedBy: null, acceptedLossSeconds: null } as const;
  const again = { tier: 'automatic', course: 'urgent', step: 'ACQUIRE', epoch: lease.epoch + 1, from: holder } as const;
  const next = { ...journal, ...again, ...fresh, ...word, sealed: [], failed: [], restarts: journal.restarts + 1 };
  return announced(write(run, next, facts), 'failover_restarted', { runId: journal.runId, from: holder, epoch: next.epoch });
}

/** The run had given up to begin anew, but the arbiter had the request for the epoch already: nobody serves, and nobody else may take it. */
function takenAfterAll(run: Run, lease: Lease, facts: Facts): Moved {
  const { journal } = run;
  // Who missed the lease that was replaced has an older one there, whose holder is a standby by now.
  const replaced = facts.replaced?.lease.epoch === lease.epoch - 1 ? facts.replaced.lease.holder : null;
  const from = replaced ?? journal.to ?? journal.from;
  const fresh = { to: null, target: null, fencedBy: null, course: 'urgent', step: 'FENCE_AND_SEAL' } as const;
  const next = { ...journal, ...fresh, from, epoch: lease.epoch, sealed: [], failed: [] };
  return announced(write(run, next, facts), 'epoch_acquired', { epoch: lease.epoch, runId: journal.runId });
}

/** Done when somebody sees the new primary commit, and did so long ago, and nobody had reason to doubt it between. */
function whileStabilising(run: Run, facts: Facts, setting: Setting): Moved {
  const { policy } = setting;
  const { to: region, runId } = run.journal;
  // It was just written and read through the name: a suspicion from before says nothing any more.
  const down = isConfirmedDown(facts, setting) && facts.nowMs - run.enteredAtMs >= policy.suspectAfterMs + policy.confirmMs;
  if (down || facts.nowMs - run.enteredAtMs > policy.stepTimeoutMs) {
    const because = down
      ? `${region} went down while it was watched`
      : `${region} was not seen to serve for ${policy.stabiliseMs} ms at a stretch`;
    // A failover away from it is another run, and has to pass the gate again.
    return announced(end(run, 'DONE', because, facts), 'failover_unstable', { runId, region, because });
  }
  if (facts.quorum.kind === 'suspects') return stay(run.stableSinceMs === null ? run : { ...run, stableSinceMs: null });
  // One commit that comes late on a busy machine is no doubt.
  if (facts.quorum.kind === 'none') return stay(run);
  const stableSinceMs = run.stableSinceMs ?? facts.nowMs;
  if (facts.nowMs - stableSinceMs < policy.stabiliseMs) return stay({ ...run, stableSinceMs });
  return end(run, 'DONE', run.journal.because, facts);
}
