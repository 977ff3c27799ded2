import type { Journal, SealedLog, Step } from '../arbiter/arbiter.ts';
import type { Announcement, Facts, Run, State } from './state.ts';

export interface Moved {
  readonly state: State;
  readonly announce: readonly Announcement[];
}

/** A run that begins anew again and again must not fill the arbiter. */
const STEPS_KEPT = 64;

/** The next step, its journal entry still to be written. */
export function enter(run: Run, step: Step, facts: Facts): Moved {
  return write(run, { ...run.journal, step }, facts);
}

/** The journal changes, so it must be written again before anything acts. */
export function write(run: Run, journal: Journal, facts: Facts): Moved {
  const intent = INTENTS[journal.step];
  const steps = journal.step === run.journal.step ? journal.steps : [...journal.steps, stepTime(journal, facts)].slice(-STEPS_KEPT);
  const next: Run = { ...unsaved({ ...journal, intent, steps, seq: run.journal.seq + 1 }, facts), revision: run.revision };
  // What was learnt of the old holder stays true as long as it is the same holder.
  const { fenced, fencedAtMs, directOverAtMs, frozen, caughtUp } = run;
  const same = journal.from === run.journal.from && journal.epoch === run.journal.epoch;
  return stay(same ? { ...next, fenced, fencedAtMs, directOverAtMs, frozen, caughtUp } : next);
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
    fencedAtMs: null,
    directOverAtMs: directOverAtMs(journal.sealed, facts.nowMs),
    caughtUp: false,
    announced: false,
    recorded: false,
    stableSinceMs: null,
    failures: {},
    awaiting: null,
    overdue: false,
  };
}

/** When the first promise of these is over, counted from now. */
export function directOverAtMs(sealed: readonly SealedLog[], nowMs: number): number | null {
  return sealed.length === 0 ? null : nowMs + Math.min(...sealed.map(({ promisedMs }) => promisedMs ?? 0));
}

export function stepTime({ step, startedAt }: Pick<Journal, 'step' | 'startedAt'>, { wallMs }: Facts): Journal['steps'][number] {
  return { step, atMs: Math.max(0, Math.round(wallMs - Date.parse(startedAt))) };
}

export function stay(run: Run): Moved {
  return { state: run, announce: [] };
}

export function announced(moved: Moved, action: string, details: Readonly<Record<string, unknown>>): Moved {
  return { ...moved, announce: [{ action, details }, ...moved.announce] };
}

/** The run stays where it is until somebody approves, or what it lacks is there after all. */
export function awaitApproval(run: Run, awaiting: NonNullable<Run['awaiting']>): Moved {
  return announced(stay({ ...run, awaiting }), 'awaiting_approval', { runId: run.journal.runId, ...awaiting });
}

export const INTENTS: Readonly<Record<Step, string>> = {
  PREPARE: 'wait until the target has nearly everything; nothing is taken yet',
  ACQUIRE: 'take the next epoch from the lease',
  FENCE_AND_SEAL: 'stop the old holder, or wait out its lease; close the old epoch on the standbys',
  PROMOTE: 'promote the longest log',
  VERIFY_DB: 'write and read through the new primary',
  ROUTE: 'point the name to the new region',
  VERIFY_E2E: 'write and read as a client does',
  STABILISE: 'see the new primary serve for a while',
  DONE: 'nothing',
  ABORTED: 'nothing',
  UNDONE: 'nothing',
};
