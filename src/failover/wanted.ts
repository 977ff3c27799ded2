import { isEnd } from '../arbiter/arbiter.ts';
import { fencedAtMs, leaseTimes } from './fencing.ts';
import { pastRun, recording } from './history.ts';
import type { Effect, Facts, Run, Setting } from './state.ts';

/** What should be under way for this run now. Nothing but the journal's write until the journal is written, and the history before its last one. */
export function wantedEffects(run: Run, facts: Facts, setting: Setting): readonly Effect[] {
  const { journal } = run;
  if (!run.saved && isEnd(journal.step) && !run.recorded) return [recording(pastRun(journal), facts.history, setting)];
  if (!run.saved) return [{ kind: 'save-journal', expected: run.revision, value: journal }];
  const { epoch, runId, to } = journal;
  switch (journal.step) {
    case 'PREPARE':
      return run.announced ? [] : [{ kind: 'lower-ttl', region: journal.from, epoch: epoch - 1 }];
    case 'ACQUIRE':
      return acquisition(run, facts, setting);
    case 'FENCE_AND_SEAL':
      return [...freezing(run), ...fencing(run), ...catchingUp(run), ...sealing(run, facts, setting)];
    case 'PROMOTE':
      if (!mayPromote(run, facts, setting)) return [...fencing(run), ...routingAhead(run, facts)];
      return [...promotion(run), ...askingOthers(run, facts, setting), ...routingAhead(run, facts)];
    case 'VERIFY_DB':
      return to === null ? [] : [{ kind: 'verify-database', region: to, epoch: servingEpoch(run, facts) }, ...routingAhead(run, facts)];
    case 'ROUTE':
      return to === null ? [] : [{ kind: 'route', region: to, epoch: servingEpoch(run, facts) }];
    case 'VERIFY_E2E':
      return to === null ? [] : [{ kind: 'verify-end-to-end', region: to, epoch: servingEpoch(run, facts) }];
    case 'STABILISE':
    case 'DONE':
    case 'ABORTED':
    case 'UNDONE':
      return [];
    default:
      throw new RangeError(`step ${String(journal.step satisfies never)} of run ${runId}, epoch ${epoch}`);
  }
}

/** The old holder confirmed, or its lease is certainly over. Only then may another be promoted. A planned run takes its word only. */
export function isFenced(run: Run, facts: Facts, setting: Setting): boolean {
  if (run.fenced !== null || run.journal.fencedBy !== null) return true;
  const { lease } = facts;
  if (lease === null || lease.lease.epoch < run.journal.epoch) return false;
  // Somebody holds the epoch: whoever promoted it had the fence.
  if (lease.lease.holder !== null) return true;
  return run.journal.course !== 'planned' && leaseIsOver(run, facts, setting);
}

/** The lease that this run replaced is certainly over, and so are the direct leases that its holder may have gone on with: one who is sealed tells of those. */
function leaseIsOver(run: Run, facts: Facts, setting: Setting): boolean {
  return recordIsOver(run, facts, setting) && run.directOverAtMs !== null && facts.nowMs >= run.directOverAtMs;
}

/** The record of the lease that this run replaced is certainly over. */
export function recordIsOver({ journal }: Run, { lease, replaced, nowMs }: Facts, { policy }: Setting): boolean {
  return lease !== null && lease.lease.epoch === journal.epoch && nowMs >= fencedAtMs(lease, replaced, policy);
}

/** Undo: the old holder itself, which needs no fence against itself, but has to show that its log is the one that it held the lease with. */
export function maySucceedItself({ journal, fenced }: Run, { lease }: Facts): boolean {
  if (lease?.lease.holder === journal.from && lease.lease.epoch >= journal.epoch) return true;
  return fenced !== null && (fenced.lastEpoch === journal.epoch - 1 || fenced.lastEpoch === journal.epoch);
}

function mayPromote(run: Run, facts: Facts, setting: Setting): boolean {
  return run.journal.course === 'undo' ? maySucceedItself(run, facts) : isFenced(run, facts, setting);
}

/** The promoted database may have been restarted meanwhile and have taken a further epoch itself. */
export function servingEpoch(run: Run, facts: Facts): number {
  const lease = facts.lease?.lease;
  return lease !== undefined && lease.holder === run.journal.to ? Math.max(lease.epoch, run.journal.epoch) : run.journal.epoch;
}

/**
 * Once a region has the lease nobody else can serve, so the name may point to it already while it is made writable and verified: clients wait for both. What counts is the step ROUTE.
 */
function routingAhead(run: Run, facts: Facts): readonly Effect[] {
  const { to, epoch } = run.journal;
  const lease = facts.lease?.lease;
  if (to === null || lease === undefined || lease.holder !== to || lease.epoch < epoch) return [];
  return [{ kind: 'route', region: to, epoch: servingEpoch(run, facts) }];
}

/** Whoever goes on with the run may have another policy, and may not have seen the lease that is replaced: the pending one tells how long that lasts. */
function acquisition({ journal }: Run, { lease }: Facts, { policy }: Setting): readonly Effect[] {
  if (lease === null || lease.lease.epoch !== journal.epoch - 1) return [];
  const value = {
    epoch: journal.epoch,
    holder: null,
    incarnation: journal.runId,
    seq: lease.revision,
    times: leaseTimes(lease.lease, policy),
  };
  return [{ kind: 'acquire-lease', expected: lease.revision, value }];
}

function freezing({ frozen, journal }: Run): readonly Effect[] {
  return frozen ? [] : [{ kind: 'freeze-set', epoch: journal.epoch }];
}

function fencing({ journal, fenced }: Run): readonly Effect[] {
  return fenced === null ? [{ kind: 'fence', region: journal.from, epoch: journal.epoch, runId: journal.runId }] : [];
}

/** Whoever was chosen cannot be promoted: the old primary, or who was away when the others were sealed, may be back and have as much. */
function askingOthers(run: Run, facts: Facts, setting: Setting): readonly Effect[] {
  const { course, failed, to } = run.journal;
  const isTaken = facts.lease?.lease.holder !== null;
  if (course !== 'urgent' || isTaken || (failed.length === 0 && (run.failures[to ?? ''] ?? 0) === 0)) return [];
  return [...fencing(run), ...sealing(run, facts, setting)];
}

/** The fenced primary goes on shipping; sealing its target would end that. */
function catchingUp({ journal, fenced, caughtUp }: Run): readonly Effect[] {
  if (journal.target === null || fenced === null || caughtUp) return [];
  return [{ kind: 'catch-up', region: journal.target, log: fenced }];
}

function sealing(run: Run, facts: Facts, setting: Setting): readonly Effect[] {
  const { journal } = run;
  const lease = facts.lease?.lease;
  // For how long its holder may have been promised is said by the lease that is replaced, and by the pending one, but by none from before that.
  if (lease === undefined || lease.epoch < journal.epoch - 1 || !mayBeSealed(run, facts, setting)) return [];
  const waitMs = leaseTimes(lease, setting.policy).successorWaitsMs;
  return setting.regions
    .filter((region) => region !== journal.from && !journal.sealed.some((log) => log.region === region))
    .map((region) => ({ kind: 'seal', region, epoch: journal.epoch, runId: journal.runId, waitMs }));
}

/** A planned run seals when its target has everything. One with a target whose old primary confirmed gives that a while too: what is shipped is not lost. */
function mayBeSealed(run: Run, facts: Facts, setting: Setting): boolean {
  const { journal, fenced, caughtUp } = run;
  if (journal.target === null || caughtUp) return true;
  if (journal.course === 'planned' || !(isFenced(run, facts, setting) || recordIsOver(run, facts, setting))) return false;
  return fenced === null || facts.nowMs - run.enteredAtMs > setting.policy.catchUpMs;
}

function promotion({ journal, fenced }: Run): readonly Effect[] {
  const { to, epoch, runId, mode, w, course } = journal;
  if (to === null) return [];
  const request = { epoch, runId, mode, w };
  // Undone: the rule stays what it was.
  if (course === 'undo') return [{ kind: 'promote', region: to, request: { ...request, set: journal.set } }];
  // Planned: everybody is there and complete, or nearly. Whoever is quickest lets the new primary serve.
  if (course === 'planned') {
    const set = [...journal.set, journal.from].filter((region) => region !== to);
    return [{ kind: 'promote', region: to, request: { ...request, set } }];
  }
  const reachable = journal.sealed.map(({ region }) => region).filter((region) => region !== to && region !== journal.from);
  const set = mode === 'sync' && to !== journal.from ? reachable.filter((region) => journal.set.includes(region)) : reachable;
  // There may be nobody left but the old primary, which has everything.
  const withOld = set.length === 0 && fenced !== null && to !== journal.from ? [journal.from] : set;
  return [{ kind: 'promote', region: to, request: { ...request, set: withOld } }];
}
