import type { Clock } from '../platform/clock.ts';
import type { FdbcliResult } from './fdbcli.ts';
import type { ClusterStatus } from './status-json.ts';

const LOOK_EVERY_MS = 1000;
/** A status tells of a change within seconds (and took 4.3 s itself with a data centre away, measured). */
const SHOWS_WITHIN_MS = 20_000;
/** So often a step is made that the status does not show; each is a recovery of FoundationDB, under a pause. */
const MOST_TIMES = 3;
/** The one refusal that time mends: a region is whole for its distributor a little before it is for whoever checks a change. */
const NOT_YET = /must be fully replicated/i;

/** What is to be done next, by what the status says now. */
export type Plan<Step> =
  /** `why`: what is so. */
  | { readonly kind: 'done'; readonly why: string }
  | { readonly kind: 'do'; readonly step: Step }
  /** What FoundationDB has to come to by itself. */
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

export const done = (why: string) => ({ kind: 'done', why }) as const;
export const wait = (why: string) => ({ kind: 'wait', why }) as const;
export const refused = (why: string) => ({ kind: 'refused', why }) as const;

/** `Seen`: what a look finds. */
export interface PlanWork<Step, Seen = ClusterStatus | null> {
  readonly plan: (seen: Seen) => Plan<Step>;
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly status: (signal: AbortSignal) => Promise<Seen>;
  /** Done means that fdbcli said so; it is believed when the status says it. */
  readonly act: (step: Step, signal: AbortSignal) => Promise<FdbcliResult>;
  readonly inWords: (step: Step) => string;
  /** Told of each thing that is waited for, once. */
  readonly onWait: (why: string) => void;
}

export interface PlanFollowed {
  /** `undecided`: the time is over, or what was done does not show; what FoundationDB does by itself goes on. */
  readonly kind: 'done' | 'refused' | 'undecided';
  readonly why: string;
}

/** Looks, does the next step, looks again, until the status says that it is done. Never rejects but with the signal's reason. */
export async function followPlan<Step, Seen>(
  { plan, clock, patienceMs, status, act, inWords, onWait }: PlanWork<Step, Seen>,
  signal: AbortSignal,
): Promise<PlanFollowed> {
  const made = new StepsMade(clock);
  let waiting = '';
  const waitFor = (why: string): void => {
    if (why !== waiting) onWait(why);
    waiting = why;
  };
  for (const endMs = clock.monotonicMs() + patienceMs; clock.monotonicMs() < endMs;) {
    const next = plan(await status(signal));
    signal.throwIfAborted();
    if (next.kind === 'done' || next.kind === 'refused') return { kind: next.kind, why: next.why };
    if (next.kind === 'wait') waitFor(next.why);
    else if (made.mayShowYet(next.step)) waitFor(`until the status shows what was done: ${inWords(next.step)}`);
    else if (made.times(next.step) >= MOST_TIMES) return { kind: 'undecided', why: notSeen(inWords(next.step)) };
    else {
      const result = await act(next.step, signal);
      if (result.kind === 'refused' && !NOT_YET.test(result.said)) return { kind: 'refused', why: result.said };
      if (result.kind === 'done') {
        made.add(next.step);
        waiting = '';
      } else waitFor(result.said);
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return { kind: 'undecided', why: waiting === '' ? 'its status did not show yet what was changed last' : waiting };
}

const notSeen = (what: string): string =>
  `${what}: FoundationDB's program has said ${MOST_TIMES} times that this is done, and the status does not show it. Look at the cluster (fdbcli: status details); whoever undoes it at the same time ends first`;

/** Of the last step: how often it was said to be done, and when. */
class StepsMade {
  readonly #clock: Clock;
  #last = { step: '', times: 0, ms: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  times(step: unknown): number {
    return JSON.stringify(step) === this.#last.step ? this.#last.times : 0;
  }

  mayShowYet(step: unknown): boolean {
    return this.times(step) > 0 && this.#clock.monotonicMs() - this.#last.ms < SHOWS_WITHIN_MS;
  }

  add(step: unknown): void {
    this.#last = { step: JSON.stringify(step), times: this.times(step) + 1, ms: this.#clock.monotonicMs() };
  }
}
