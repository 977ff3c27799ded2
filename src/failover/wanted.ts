import { fencedAtMs } from './fencing.ts';
import type { Effect, Facts, Run, Setting } from './state.ts';

/** What should be under way for this run now. Nothing but the journal's write until the journal is written. */
export function wantedEffects(run: Run, facts: Facts, setting: Setting): readonly Effect[] {
  const { journal } = run;
  if (!run.saved) return [{ kind: 'save-journal', expected: run.revision, value: journal }];
  const { epoch, runId, to } = journal;
  switch (journal.step) {
    case 'ACQUIRE':
      return acquisition(run, facts);
    case 'FENCE_AND_SEAL':
      return [...freezing(run), ...fencing(run, facts, setting), ...sealing(run, facts, setting)];
    case 'PROMOTE':
      return isFenced(run, facts, setting) ? promotion(run) : fencing(run, facts, setting);
    case 'VERIFY_DB':
      return to === null ? [] : [{ kind: 'verify-database', region: to, epoch: servingEpoch(run, facts) }];
    case 'ROUTE':
      return to === null ? [] : [{ kind: 'route', region: to, epoch: servingEpoch(run, facts) }];
    case 'VERIFY_E2E':
      return to === null ? [] : [{ kind: 'verify-end-to-end', region: to, epoch: servingEpoch(run, facts) }];
    case 'DONE':
    case 'ABORTED':
      return [];
    default:
      throw new RangeError(`step ${String(journal.step satisfies never)} of run ${runId}, epoch ${epoch}`);
  }
}

/** The old holder confirmed, or its lease is certainly over. Only then may another be promoted. */
export function isFenced(run: Run, facts: Facts, { policy }: Setting): boolean {
  if (run.fenced !== null || run.journal.fencedBy !== null) return true;
  const { lease } = facts;
  if (lease === null || lease.lease.epoch < run.journal.epoch) return false;
  // Somebody holds the epoch: whoever promoted it had the fence.
  if (lease.lease.holder !== null) return true;
  if (lease.lease.epoch !== run.journal.epoch) return false;
  return facts.nowMs >= fencedAtMs(lease, facts.replaced, policy);
}

/** The promoted database may have been restarted meanwhile and have taken a further epoch itself. */
export function servingEpoch(run: Run, facts: Facts): number {
  const lease = facts.lease?.lease;
  return lease !== undefined && lease.holder === run.journal.to ? Math.max(lease.epoch, run.journal.epoch) : run.journal.epoch;
}

function acquisition({ journal }: Run, { lease }: Facts): readonly Effect[] {
  if (lease === null || lease.lease.epoch !== journal.epoch - 1) return [];
  const value = { epoch: journal.epoch, holder: null, incarnation: journal.runId, seq: lease.revision };
  return [{ kind: 'acquire-lease', expected: lease.revision, value }];
}

function freezing({ frozen, journal }: Run): readonly Effect[] {
  return frozen ? [] : [{ kind: 'freeze-set', epoch: journal.epoch }];
}

function fencing(run: Run, facts: Facts, setting: Setting): readonly Effect[] {
  const { journal } = run;
  if (run.fenced !== null || (journal.step === 'PROMOTE' && isFenced(run, facts, setting))) return [];
  return [{ kind: 'fence', region: journal.from, epoch: journal.epoch, runId: journal.runId }];
}

function sealing(run: Run, facts: Facts, setting: Setting): readonly Effect[] {
  const { journal } = run;
  if (!mayBeSealed(run, facts, setting)) return [];
  return setting.regions
    .filter((region) => region !== journal.from && !journal.sealed.some((log) => log.region === region))
    .map((region) => ({ kind: 'seal', region, epoch: journal.epoch, runId: journal.runId }));
}

/** A planned one lets its target catch up with the fenced primary first: sealing ends the shipping. */
function mayBeSealed(run: Run, facts: Facts, setting: Setting): boolean {
  const { journal, fenced } = run;
  if (journal.target === null) return true;
  if (!isFenced(run, facts, setting)) return false;
  if (fenced === null) return true;
  const target = facts.databases.get(journal.target)?.status;
  const caughtUp = target !== undefined && target.lastEpoch === fenced.lastEpoch && target.lastIndex >= fenced.lastIndex;
  return caughtUp || facts.nowMs - run.enteredAtMs > setting.policy.successorWaitsMs;
}

function promotion({ journal, fenced }: Run): readonly Effect[] {
  const { to, epoch, runId, mode, w } = journal;
  if (to === null) return [];
  const reachable = journal.sealed.map(({ region }) => region).filter((region) => region !== to && region !== journal.from);
  const set = mode === 'sync' && to !== journal.from ? reachable.filter((region) => journal.set.includes(region)) : reachable;
  // A planned one may leave nobody but the old primary, which has everything.
  const withOld = set.length === 0 && fenced !== null && to !== journal.from ? [journal.from] : set;
  return [{ kind: 'promote', region: to, request: { epoch, runId, mode, set: withOld, w } }];
}
