import type { Held, Journal, Lease, Replication, SealedLog } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import type { Quorum } from '../health/quorum.ts';
import type { DatabaseStatus, PromoteRequest } from '../server/control-messages.ts';
import type { LeaseSighting } from './fencing.ts';

/** What does not change while a controller runs. */
export interface Setting {
  readonly policy: Policy;
  readonly region: string;
  readonly incarnation: string;
  /** Every region, those of `standby_regions` in the order in which the operator prefers them. */
  readonly regions: readonly string[];
  readonly replication: 'sync' | 'async';
  readonly rpoMs: number;
}

export interface SeenStatus {
  readonly status: DatabaseStatus;
  /** When it was asked for, on this controller's clock. */
  readonly askedAtMs: number;
}

/** What the leader knows at `nowMs` (its monotonic clock). */
export interface Facts {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly lease: LeaseSighting | null;
  /** The last lease of a lower epoch that this controller saw. */
  readonly replaced: LeaseSighting | null;
  readonly replication: Held<Replication> | null;
  readonly journal: Held<Journal> | null;
  readonly quorum: Quorum;
  /** When a veto was last in force: the window of confirmation begins after it. */
  readonly vetoedAtMs: number | null;
  /** The last status of each database, however old. */
  readonly databases: ReadonlyMap<string, SeenStatus>;
  /** A name for a new run; a fresh one each time. */
  readonly newRunId: string;
}

export interface OperatorRequest {
  readonly target: string;
  readonly acceptDataLossSeconds: number | null;
}

/** Nothing taken yet: the leader's opinion, gone with it. */
export type Opinion =
  | { readonly kind: 'observe' }
  | { readonly kind: 'suspect' }
  | { readonly kind: 'await-approval'; readonly reason: string; readonly estimatedLossSeconds: number | null };

/** A run that is in the arbiter, or is being written there. */
export interface Run {
  readonly kind: 'run';
  readonly journal: Journal;
  /** Revision of the journal record that the next write replaces; null: there is none yet. */
  readonly revision: number | null;
  /** The journal, as it is here, is in the arbiter: only now its step may act. */
  readonly saved: boolean;
  readonly enteredAtMs: number;
  /** FENCE_AND_SEAL: the commit rule can no more be changed by the old holder. */
  readonly frozen: boolean;
  /** Log end of the old holder, once it confirmed. */
  readonly fenced: SealedLog | null;
  /** Regions that could not be sealed or promoted at least once in this step, with how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** Why somebody has to approve before it can go on. */
  readonly awaiting: string | null;
  /** Told once that the step takes too long. */
  readonly overdue: boolean;
}
export type State = Opinion | Run;

export type Event =
  | { readonly kind: 'tick' }
  | { readonly kind: 'operator'; readonly request: OperatorRequest }
  | { readonly kind: 'journal-saved'; readonly seq: number; readonly revision: number }
  | { readonly kind: 'journal-lost' }
  | { readonly kind: 'lease-refused' }
  | { readonly kind: 'set-frozen'; readonly replication: Replication | null }
  | { readonly kind: 'fenced'; readonly log: SealedLog }
  | { readonly kind: 'sealed'; readonly log: SealedLog }
  | { readonly kind: 'seal-failed'; readonly region: string }
  | { readonly kind: 'promoted'; readonly region: string; readonly writable: boolean }
  | { readonly kind: 'promote-failed'; readonly region: string; readonly why: string }
  | { readonly kind: 'database-verified' }
  | { readonly kind: 'routed' }
  | { readonly kind: 'route-superseded' }
  | { readonly kind: 'end-to-end-verified' };

/** What should be under way now. Each is idempotent; one that ends without an event is begun again while it is still wanted. */
export type Effect =
  | { readonly kind: 'save-journal'; readonly expected: number | null; readonly value: Journal }
  | { readonly kind: 'acquire-lease'; readonly expected: number; readonly value: Lease }
  | { readonly kind: 'freeze-set'; readonly epoch: number }
  | { readonly kind: 'fence'; readonly region: string; readonly epoch: number; readonly runId: string }
  | { readonly kind: 'seal'; readonly region: string; readonly epoch: number; readonly runId: string }
  | { readonly kind: 'promote'; readonly region: string; readonly request: PromoteRequest }
  | { readonly kind: 'verify-database'; readonly region: string; readonly epoch: number }
  | { readonly kind: 'route'; readonly region: string; readonly epoch: number }
  | { readonly kind: 'verify-end-to-end'; readonly region: string; readonly epoch: number };

/** Something to tell, once. */
export interface Announcement {
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Transition {
  readonly state: State;
  /** The whole list: what is not in it any more is cancelled. */
  readonly effects: readonly Effect[];
  readonly announce: readonly Announcement[];
}
