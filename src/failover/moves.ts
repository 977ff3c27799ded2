import type { Journal, Step } from '../arbiter/arbiter.ts';
import type { Announcement, Facts, Run, State } from './state.ts';

export interface Moved {
  readonly state: State;
  readonly announce: readonly Announcement[];
}

/** The next step, its journal entry still to be written. */
export function enter(run: Run, step: Step, facts: Facts): Moved {
  return write(run, { ...run.journal, step }, facts);
}

/** The journal changes, so it must be written again before anything acts. */
export function write(run: Run, journal: Journal, facts: Facts): Moved {
  const intent = journal.step === 'ABORTED' ? journal.intent : INTENTS[journal.step];
  const next: Run = { ...unsaved({ ...journal, intent, seq: run.journal.seq + 1 }, facts), revision: run.revision };
  // What was learnt of the old holder stays true as long as it is the same holder.
  return stay(
    journal.from === run.journal.from && journal.epoch === run.journal.epoch ? { ...next, fenced: run.fenced, frozen: run.frozen } : next,
  );
}

export function unsaved(journal: Journal, facts: Facts): Run {
  const revision = facts.journal?.revision ?? null;
  return {
    kind: 'run',
    journal,
    revision,
    saved: false,
    enteredAtMs: facts.nowMs,
    frozen: false,
    fenced: null,
    failures: {},
    awaiting: null,
    overdue: false,
  };
}

export function stay(run: Run): Moved {
  return { state: run, announce: [] };
}

export function announced(moved: Moved, action: string, details: Readonly<Record<string, unknown>>): Moved {
  return { ...moved, announce: [{ action, details }, ...moved.announce] };
}

export const INTENTS: Readonly<Record<Step, string>> = {
  ACQUIRE: 'take the next epoch from the lease',
  FENCE_AND_SEAL: 'stop the old holder, or wait out its lease; close the old epoch on the standbys',
  PROMOTE: 'promote the longest log',
  VERIFY_DB: 'write and read through the new primary',
  ROUTE: 'point the name to the new region',
  VERIFY_E2E: 'write and read as a client does',
  DONE: 'nothing',
  ABORTED: 'nothing',
};
