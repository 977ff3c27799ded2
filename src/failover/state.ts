import type { ArbiterContact } from './arbiter-contact.ts';
import type { Held, History, Journal, Lease, Maintenance, PastRun, Replication, SealedLog } from '../arbiter/arbiter.ts';
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
  /** The region where the service belongs: failback moves it there. */
  readonly primaryRegion: string;
  /** Regions with enough capacity to be promoted by themselves; an operator's target may be another. */
  readonly promotable: readonly string[];
  readonly replication: 'sync' | 'async';
  readonly rpoMs: number;
  /** A program is configured that may veto an automatic failover. */
  readonly vetoProgram: boolean;
}

export interface SeenStatus {
  readonly status: DatabaseStatus;
  /** When it was asked for, on this controller's clock. */
  readonly askedAtMs: number;
}

/** What the leader knows at `nowMs` (its monotonic clock). */
export interface Facts {
  readonly nowMs: number;
  /** The wall clock as it was when this controller started, and what its monotonic clock counted since: a clock that jumps changes nothing. */
  readonly wallMs: number;
  readonly lease: LeaseSighting | null;
  /** The last lease of a lower epoch that this controller saw. */
  readonly replaced: LeaseSighting | null;
  readonly replication: Held<Replication> | null;
  readonly journal: Held<Journal> | null;
  readonly maintenance: Held<Maintenance> | null;
  readonly history: Held<History> | null;
  readonly quorum: Quorum;
  /** When a veto was last in force: the window of confirmation begins after it. */
  readonly vetoedAtMs: number | null;
  /** When a failover from the suspected primary was last found impossible for want of standbys. */
  readonly gateShutAtMs: number | null;
  readonly arbiter: ArbiterContact;
  /** The last status of each database, however old. */
  readonly databases: ReadonlyMap<string, SeenStatus>;
  /** When each database program was last asked and said that the database it serves from does not answer: it is there, and waits. */
  readonly waitingAtMs: ReadonlyMap<string, number>;
  /** Since when this controller sees each standby in sync with the present primary, without a break. */
  readonly inSyncSinceMs: ReadonlyMap<string, number>;
  /** A name for a new run; a fresh one each time. */
  readonly newRunId: string;
}

/** What an operator may ask of the leader. `by` names the operator. */
export type OperatorRequest =
  /** Planned: nothing is lost, or it is undone. */
  | { readonly kind: 'switchover'; readonly target: string; readonly by: string }
  | { readonly kind: 'failback'; readonly by: string }
  /** Relies on the observers' diagnosis: refused while they see the primary serve. */
  | { readonly kind: 'failover'; readonly target: string; readonly by: string }
  /** Relies on the operator alone, who types how much may be lost. */
  | { readonly kind: 'forced'; readonly target: string; readonly acceptedLossSeconds: number; readonly by: string }
  /** What AWAIT_APPROVAL waits for; a loss only where there may be one. */
  | { readonly kind: 'approve'; readonly acceptedLossSeconds: number | null; readonly by: string };

/** What keeps a failover from beginning by itself. Only `loss` is about data; an approval of the others needs no number. */
export type Blocker = 'paused' | 'not-automatic' | 'flapping' | 'capacity' | 'veto' | 'loss';

/** Nothing taken yet: the leader's opinion, gone with it. */
export type Opinion =
  | { readonly kind: 'observe' }
  | { readonly kind: 'suspect' }
  /** The program that may veto is asked about this failover. */
  | { readonly kind: 'ask-veto'; readonly question: VetoQuestion }
  | {
      readonly kind: 'await-approval';
      readonly blocker: Blocker;
      readonly reason: string;
      readonly estimatedLossSeconds: number | null;
      readonly sinceMs: number;
    };

export interface VetoQuestion {
  readonly runId: string;
  readonly from: string;
  readonly candidate: string;
  readonly epoch: number;
  readonly reason: string;
  readonly estimatedLossSeconds: number;
}

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
  readonly fencedAtMs: number | null;
  /** When the old holder's direct leases are certainly over: it needs everybody's promise, so that of one sealed standby is enough. Null: nobody is sealed. */
  readonly directOverAtMs: number | null;
  /** The target of a planned run has everything that the fenced primary has. */
  readonly caughtUp: boolean;
  /** PREPARE: clients will ask again soon where the name points to. */
  readonly announced: boolean;
  /** The end of this run is in the history: only then it is closed. */
  readonly recorded: boolean;
  /** STABILISE: since when the new primary is seen serving, without a break. */
  readonly stableSinceMs: number | null;
  /** Regions that could not be sealed or promoted at least once in this step, with how often. */
  readonly failures: Readonly<Record<string, number>>;
  /** Why somebody has to approve before it can go on. */
  readonly awaiting: {
    readonly blocker: Blocker;
    readonly reason: string;
    readonly estimatedLossSeconds: number | null;
    /** PROMOTE: who is promoted then, in place of who has more and cannot be. */
    readonly instead?: string;
    /** The new primary went down as well: the run begins anew then, with the next epoch. */
    readonly anew?: true;
  } | null;
  /** Told once that the step takes too long. */
  readonly overdue: boolean;
}
export type State = Opinion | Run;

export type Event =
  | { readonly kind: 'tick' }
  | { readonly kind: 'operator'; readonly request: OperatorRequest }
  | { readonly kind: 'journal-saved'; readonly seq: number; readonly revision: number }
  | { readonly kind: 'journal-lost' }
  | { readonly kind: 'history-recorded'; readonly runId: string }
  | { readonly kind: 'veto-answered'; readonly runId: string; readonly veto: string | null }
  | { readonly kind: 'ttl-lowered' }
  | { readonly kind: 'caught-up'; readonly region: string }
  | { readonly kind: 'lease-refused' }
  | { readonly kind: 'set-frozen'; readonly replication: Replication | null }
  | { readonly kind: 'fenced'; readonly log: SealedLog }
  | { readonly kind: 'sealed'; readonly log: SealedLog }
  | { readonly kind: 'seal-failed'; readonly region: string }
  | { readonly kind: 'promoted'; readonly region: string; readonly writable: boolean }
  /** `lacks`: it goes on only without what the old primary's database still has. */
  | { readonly kind: 'promote-failed'; readonly region: string; readonly why: string; readonly lacks?: boolean }
  | { readonly kind: 'database-verified' }
  | { readonly kind: 'routed' }
  | { readonly kind: 'route-superseded' }
  | { readonly kind: 'end-to-end-verified' };

/** What should be under way now. Each is idempotent; one that ends without an event is begun again while it is still wanted. */
export type Effect =
  | { readonly kind: 'save-journal'; readonly expected: number | null; readonly value: Journal }
  | { readonly kind: 'record-history'; readonly expected: number | null; readonly value: History; readonly run: PastRun }
  | { readonly kind: 'ask-veto'; readonly question: VetoQuestion }
  /** Clients are to ask again soon where the name points to: the pause of writes is not to last as long as they remember. */
  | { readonly kind: 'lower-ttl'; readonly region: string; readonly epoch: number }
  /** Waits until the region's log is at least this long. */
  | { readonly kind: 'catch-up'; readonly region: string; readonly log: SealedLog }
  | { readonly kind: 'acquire-lease'; readonly expected: number; readonly value: Lease }
  | { readonly kind: 'freeze-set'; readonly epoch: number }
  | { readonly kind: 'fence'; readonly region: string; readonly epoch: number; readonly runId: string }
  | { readonly kind: 'seal'; readonly region: string; readonly epoch: number; readonly runId: string; readonly waitMs: number }
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
