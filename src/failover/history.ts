import { isEnd, type Held, type History, type Journal, type PastRun } from '../arbiter/arbiter.ts';
import type { Effect, Facts, Setting } from './state.ts';

/** The journal of a run that is about to end, as it goes into the history. */
export function pastRun(journal: Journal): PastRun {
  const { runId, tier, by, from, to, target, epoch, step, reason, because, startedAt, steps, restarts, fencedBy, acceptedLossSeconds } =
    journal;
  if (!isEnd(step)) throw new RangeError(`run ${runId} is open (${step})`);
  const endedAt = new Date(Date.parse(startedAt) + (steps.at(-1)?.atMs ?? 0)).toISOString();
  return {
    runId,
    tier,
    by,
    from,
    to,
    target,
    epoch,
    outcome: step,
    reason,
    because,
    startedAt,
    endedAt,
    steps,
    restarts,
    fencedBy,
    acceptedLossSeconds,
    rejoinedAt: null,
    acknowledged: null,
  };
}

/** Writes the run into the history, or over what is there of it. The same run recorded twice is one. */
export function recording(run: PastRun, history: Held<History> | null, { policy }: Setting): Effect {
  const others = (history?.value.runs ?? []).filter(({ runId }) => runId !== run.runId);
  const before = (history?.value.runs ?? []).find(({ runId }) => runId === run.runId);
  const runs = before === undefined ? [...others, run] : (history?.value.runs ?? []).map((past) => (past.runId === run.runId ? run : past));
  const value = { runs: runs.slice(-policy.historyRuns), seq: (history?.value.seq ?? -1) + 1 };
  return { kind: 'record-history', expected: history?.revision ?? null, value, run };
}

/** The last run that moved the service away from a region which has come back as a standby in sync since; null when there is nothing to tell. */
export function rejoined(facts: Facts): PastRun | null {
  const last = lastMove(facts.history);
  const holder = facts.lease?.lease.holder ?? null;
  if (last === undefined || last.rejoinedAt !== null || holder === null || last.from === holder) return null;
  const sinceMs = facts.inSyncSinceMs.get(last.from);
  if (sinceMs === undefined) return null;
  return { ...last, rejoinedAt: new Date(Math.round(facts.wallMs - facts.nowMs + sinceMs)).toISOString() };
}

/** The automatic failover that keeps the next one from beginning by itself, unless somebody has acknowledged it. */
export function blockingFailover(facts: Facts, { policy }: Setting): { readonly run: PastRun; readonly agoMs: number } | null {
  const run = facts.history?.value.runs.findLast(({ tier, outcome }) => tier === 'automatic' && outcome === 'DONE');
  if (run === undefined || run.acknowledged !== null) return null;
  const agoMs = facts.wallMs - Date.parse(run.startedAt);
  return agoMs < policy.antiFlapMs ? { run, agoMs } : null;
}

/** With the last automatic failover acknowledged; null when there is none that blocks. */
export function acknowledge(history: History | null, by: string, at: string): History | null {
  const run = history?.runs.findLast(({ tier, outcome }) => tier === 'automatic' && outcome === 'DONE');
  if (history === null || run === undefined || run.acknowledged !== null) return null;
  const runs = history.runs.map((past) => (past.runId === run.runId ? { ...past, acknowledged: { by, at } } : past));
  return { runs, seq: history.seq + 1 };
}

function lastMove(history: Held<History> | null): PastRun | undefined {
  return history?.value.runs.findLast(({ outcome }) => outcome === 'DONE');
}
