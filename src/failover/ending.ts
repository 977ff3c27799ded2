import type { PastRun } from '../arbiter/arbiter.ts';
import { announced, enter, type Moved } from './moves.ts';
import type { Announcement, Facts, Run } from './state.ts';

/** Ends the run: into the history first, then the journal is closed. `because` says why it ended otherwise than it should, or null. */
export function end(run: Run, outcome: PastRun['outcome'], because: string | null, facts: Facts): Moved {
  const { journal } = run;
  const { runId, tier, from, to, epoch } = journal;
  const moved = enter({ ...run, journal: { ...journal, because } }, outcome, facts);
  const durationMs = Math.round(facts.wallMs - Date.parse(journal.startedAt));
  const told: Readonly<Record<PastRun['outcome'], Announcement>> = {
    DONE: { action: 'failover_complete', details: { runId, tier, from, to, epoch, durationMs, because } },
    ABORTED: { action: 'failover_aborted', details: { runId, tier, why: because } },
    UNDONE: { action: 'failover_undone', details: { runId, tier, region: from, epoch, durationMs, why: because } },
  };
  return announced(moved, told[outcome].action, told[outcome].details);
}
