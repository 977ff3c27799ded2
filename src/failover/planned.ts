import { behindText } from '../replication/lag.ts';
import { end } from './ending.ts';
import { announced, enter, stay, write, type Moved } from './moves.ts';
import { judgeSealing } from './sealing.ts';
import { isFresh } from './setting.ts';
import type { Facts, Run, Setting } from './state.ts';
import { isFenced, maySucceedItself, recordIsOver } from './wanted.ts';

/** PREPARE: nothing is taken, the old primary serves. On as soon as the target has nearly everything; given up when that takes too long or the old primary is in doubt. */
export function afterPrepare(run: Run, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const { policy } = setting;
  const lease = facts.lease?.lease;
  if (lease === undefined || lease.holder !== journal.from)
    return end(run, 'ABORTED', `${journal.from} does not hold the lease any more`, facts);
  if (facts.quorum.kind === 'suspects') return end(run, 'ABORTED', `${journal.from} is suspected by ${facts.quorum.by.join(', ')}`, facts);
  const behind = whyNotReady(run, facts, setting);
  if (behind !== null) {
    return facts.nowMs - run.enteredAtMs > policy.prepareMs
      ? end(run, 'ABORTED', `${behind} after ${policy.prepareMs} ms`, facts)
      : stay(run);
  }
  const rule = facts.replication?.value;
  const { mode, set, w } = rule ?? journal;
  return enter({ ...run, journal: { ...journal, epoch: lease.epoch + 1, mode, set, w } }, 'ACQUIRE', facts);
}

function whyNotReady(run: Run, facts: Facts, { policy }: Setting): string | null {
  const { from, target } = run.journal;
  const region = target as string;
  const primary = facts.databases.get(from);
  const standby = primary?.status.standbys[region];
  if (primary === undefined || standby === undefined || !isFresh(primary, facts.nowMs, policy))
    return `${from} did not tell how far ${region} is`;
  if (!isFresh(facts.databases.get(region), facts.nowMs, policy)) return `the database of ${region} did not answer`;
  if (primary.status.mode === 'sync' && !standby.inSync) return `${region} was not in sync`;
  if (standby.lagEntries > policy.caughtUpEntries) return `${region} was not ready (${behindText(standby)})`;
  return run.announced ? null : 'the name did not get its short time to live';
}

/** The old primary has to confirm, and the target to get everything that it has: else it is undone. */
export function afterSealingPlanned(run: Run, facts: Facts, setting: Setting): Moved {
  const { journal, frozen, enteredAtMs } = run;
  const { policy } = setting;
  const target = journal.target as string;
  const sealing = judgeSealing(run, setting);
  if (frozen && sealing.kind === 'reached')
    return enter({ ...run, journal: { ...journal, to: target, fencedBy: 'holder' } }, 'PROMOTE', facts);
  const waitedMs = facts.nowMs - enteredAtMs;
  if (!isFenced(run, facts, setting)) {
    if (waitedMs <= policy.fenceConfirmMs) return stay(run);
    return undo(run, `${journal.from} did not confirm its fence within ${policy.fenceConfirmMs} ms`, facts);
  }
  if (facts.nowMs - (run.fencedAtMs ?? enteredAtMs) <= policy.catchUpMs) return stay(run);
  return undo(run, `${target} did not get everything within ${policy.catchUpMs} ms`, facts);
}

/** The old primary is to go on, under the epoch that was taken. */
export function undo(run: Run, because: string, facts: Facts): Moved {
  const { journal } = run;
  const undone = { ...journal, course: 'undo', step: 'PROMOTE', to: journal.from, because } as const;
  const moved = write(run, undone, facts);
  return announced(moved, 'failover_undoing', { runId: journal.runId, region: journal.from, because });
}

/** The old primary does not take over again either: it is lost, and the run becomes a failover. */
export function afterUndo(run: Run, facts: Facts, setting: Setting): Moved {
  const { journal, fenced } = run;
  const { policy } = setting;
  const emptied = fenced !== null && !maySucceedItself(run, facts);
  const late = facts.nowMs - run.enteredAtMs > policy.undoMs && recordIsOver(run, facts, setting);
  if (!emptied && !late) return stay(run);
  const because = `${journal.because}; ${journal.from} ${emptied ? 'has lost its log' : `did not go on within ${policy.undoMs} ms`}`;
  const urgent = { ...journal, course: 'urgent', step: 'FENCE_AND_SEAL', to: null, because } as const;
  return announced(write(run, urgent, facts), 'failover_escalated', { runId: journal.runId, because });
}
