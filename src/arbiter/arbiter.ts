import { z } from 'zod';
import { LONGEST_WAIT_MS } from '../config/policy.ts';

const count = z.number().int().nonnegative();
const region = z.string().min(1);

/**
 * How long a lease lasts, by the policy of whoever holds it: it stops `holderStopsMs` after sending its last renewal, and a successor waits `successorWaitsMs` after it
 * last saw the record change. Bounded, so that no record keeps everybody waiting for ever.
 */
const leaseTimesShape = z
  .strictObject({ holderStopsMs: z.number().int().positive(), successorWaitsMs: z.number().int().positive().max(LONGEST_WAIT_MS) })
  .refine(({ holderStopsMs, successorWaitsMs }) => holderStopsMs < successorWaitsMs, 'holderStopsMs must be below successorWaitsMs');
export type LeaseTimes = z.infer<typeof leaseTimesShape>;

/**
 * Who may write, and under which epoch: the only source of epochs. `holder: null` is a pending epoch: a failover has taken it, no database serves, and the database that
 * is promoted takes it by CAS with `seq` 0. A pending lease's `incarnation` is the run's id and its `seq` the revision of the lease that it replaced: who saw just that
 * revision knows when the old holder stops. Its `times` are at least those of the lease that it replaced. Without `times` it was written by an engine that did not tell them.
 */
export const leaseShape = z.strictObject({
  epoch: count,
  holder: region.nullable(),
  incarnation: z.string().min(1),
  seq: count,
  times: leaseTimesShape.optional(),
});
export type Lease = z.infer<typeof leaseShape>;

/**
 * The commit rule in force. A failover writes `epoch` first (with the rest unchanged) to freeze it: from then on every change of the old
 * holder is refused, so what was read is what has to be sealed. The promoted database writes its own set before it serves.
 */
export const replicationShape = z.strictObject({
  epoch: count,
  mode: z.enum(['sync', 'async']),
  set: z.array(region),
  w: count,
});
export type Replication = z.infer<typeof replicationShape>;

/**
 * The steps that are journalled. Everything before is a leader's opinion and leaves no trace; from the first on somebody must finish. PREPARE is of planned runs: the target
 * catches up, nothing is taken. DONE, ABORTED (nothing was taken) and UNDONE (the old primary goes on under the new epoch) end a run.
 */
export const STEPS = [
  'PREPARE',
  'ACQUIRE',
  'FENCE_AND_SEAL',
  'PROMOTE',
  'VERIFY_DB',
  'ROUTE',
  'VERIFY_E2E',
  'STABILISE',
  'DONE',
  'ABORTED',
  'UNDONE',
] as const;
export type Step = (typeof STEPS)[number];

/** Who wanted the run: the observers' quorum by itself, or an operator, who planned it, relied on their diagnosis, or overruled it with a typed loss. */
export const TIERS = ['automatic', 'switchover', 'failback', 'failover', 'forced'] as const;
export type Tier = (typeof TIERS)[number];

/**
 * How a run goes on. `planned`: the old primary confirms its fence and the target gets all it has, or nothing changes. `undo`: that failed, the old primary is to go on
 * under the epoch that was taken. `urgent`: the old primary is taken for lost, its lease is waited out and the seal quorum decides what is complete.
 */
const COURSES = ['planned', 'undo', 'urgent'] as const;

/** When a step began, in milliseconds after the run did. */
const stepTimeShape = z.strictObject({ step: z.enum(STEPS), atMs: count });

/** `promisedMs`: when it was sealed, a direct lease that it had given was in force for so long yet. */
export const sealedLogShape = z.strictObject({ region, lastEpoch: count, lastIndex: count, promisedMs: count.optional() });
export type SealedLog = z.infer<typeof sealedLogShape>;

/** The journal of the last run. Open unless its step ends it. */
export const journalShape = z.strictObject({
  runId: z.string().min(1),
  tier: z.enum(TIERS),
  course: z.enum(COURSES),
  /** The operator who asked for it or approved it. */
  by: z.string().nullable(),
  /** The epoch that this run takes, one above that of the lease it replaces. */
  epoch: count,
  from: region,
  to: region.nullable(),
  /** An operator asked for this region. */
  target: region.nullable(),
  step: z.enum(STEPS),
  intent: z.string(),
  reason: z.string(),
  /** Why it left its course or ended as it did. */
  because: z.string().nullable(),
  startedAt: z.string(),
  steps: z.array(stepTimeShape),
  /** The promoted region went down within the run and it began anew with the next epoch. */
  restarts: count,
  /** The commit rule that was in force when it was frozen. */
  mode: z.enum(['sync', 'async']),
  set: z.array(region),
  w: count,
  sealed: z.array(sealedLogShape),
  /** Candidates that could not be promoted in this run. */
  failed: z.array(region),
  fencedBy: z.enum(['holder', 'lease']).nullable(),
  /** An operator accepted that so many seconds of writes may be lost: the seal quorum need not be reached. */
  acceptedLossSeconds: z.number().nonnegative().nullable(),
  owner: region,
  ownerIncarnation: z.string().min(1),
  seq: count,
});
export type Journal = z.infer<typeof journalShape>;

/** Which controller acts. Not a fence: what it does is fenced by the epoch and by the journal's revision. */
export const leaderShape = z.strictObject({ region, incarnation: z.string().min(1), seq: count });
export type Leader = z.infer<typeof leaderShape>;

/** Whether failovers may begin by themselves. A pause wins over everything but an operator's own order. */
export const maintenanceShape = z.strictObject({
  paused: z.boolean(),
  by: z.string().min(1),
  why: z.string(),
  since: z.string(),
  /** When it ends by itself; null: when somebody resumes. */
  until: z.string().nullable(),
  seq: count,
});
export type Maintenance = z.infer<typeof maintenanceShape>;

/** A run that has ended. */
export const pastRunShape = z.strictObject({
  runId: z.string().min(1),
  tier: z.enum(TIERS),
  by: z.string().nullable(),
  from: region,
  to: region.nullable(),
  target: region.nullable(),
  epoch: count,
  outcome: z.enum(['DONE', 'ABORTED', 'UNDONE']),
  reason: z.string(),
  because: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string(),
  steps: z.array(stepTimeShape),
  restarts: count,
  fencedBy: z.enum(['holder', 'lease']).nullable(),
  acceptedLossSeconds: z.number().nonnegative().nullable(),
  /** When the region that it left was a standby in sync again; null: not yet. */
  rejoinedAt: z.string().nullable(),
  /** An operator has looked at it: another automatic failover may follow at once. */
  acknowledged: z.strictObject({ by: z.string().min(1), at: z.string() }).nullable(),
});
export type PastRun = z.infer<typeof pastRunShape>;

/** The last runs, oldest first, as many as the policy keeps. */
export const historyShape = z.strictObject({ runs: z.array(pastRunShape), seq: count });
export type History = z.infer<typeof historyShape>;

/**
 * Who writes backups. `epoch` grows with each holder and stands in every manifest, so that what a replaced writer still commits is told apart;
 * `holder: null` when nobody does.
 */
export const backupLeaseShape = z.strictObject({ epoch: count, holder: region.nullable(), incarnation: z.string().min(1), seq: count });
export type BackupLease = z.infer<typeof backupLeaseShape>;

export const RECORD_SHAPES = {
  lease: leaseShape,
  replication: replicationShape,
  failover: journalShape,
  leader: leaderShape,
  maintenance: maintenanceShape,
  history: historyShape,
  backup: backupLeaseShape,
} as const;
export interface Records {
  readonly lease: Lease;
  readonly replication: Replication;
  readonly failover: Journal;
  readonly leader: Leader;
  readonly maintenance: Maintenance;
  readonly history: History;
  readonly backup: BackupLease;
}
export type RecordName = keyof Records;
export const RECORD_NAMES: readonly RecordName[] = ['lease', 'replication', 'failover', 'leader', 'maintenance', 'history', 'backup'];

/** A record as the arbiter holds it; `revision` grows with each write of it and is what the next CAS must name. */
export interface Held<T> {
  readonly value: T;
  readonly revision: number;
}
/** All records at one revision of the store. */
export interface Snapshot extends Readonly<{ [K in RecordName]: Held<Records[K]> | null }> {
  readonly revision: number;
}
export const NO_RECORDS: Snapshot = {
  revision: 0,
  lease: null,
  replication: null,
  failover: null,
  leader: null,
  backup: null,
  maintenance: null,
  history: null,
};

export type CasResult<T> =
  | { readonly ok: true; readonly revision: number }
  /** Refused: it was not and will not be applied. `current` is what is there. */
  | { readonly ok: false; readonly reason: 'conflict'; readonly current: Held<T> | null }
  /** No answer: it may or may not have been applied, now or later. Ask again with the same arguments, or read. */
  | { readonly ok: false; readonly reason: 'unknown' };

/**
 * A compare-and-swap store that outlives any one region. All calls may be made at any time and concurrently; each is bounded by a few times the
 * policy's `arbiterRpcMs` (etcd: once for each member). The owner calls `close` once.
 */
export interface Arbiter {
  /** All records at one moment, linearizable. Throws EngineError `arbiter-unavailable`; `internal` where a record is not of its shape. */
  read(signal?: AbortSignal): Promise<Snapshot>;
  /**
   * Writes `value` if the record is still at `expected` (null: absent). A value must tell its writer from any other (holder, incarnation,
   * seq, runId): finding exactly the value it wanted to write after an answer was lost, `cas` reports `ok`.
   */
  cas<K extends RecordName>(record: K, expected: number | null, value: Records[K], signal?: AbortSignal): Promise<CasResult<Records[K]>>;
  /**
   * Calls `onRecords` with what is there now and after every change, as soon as it is known (a successor counts from when it last *saw* the
   * lease change), never with an older revision than before. Changes in quick succession may be seen as one. Resolves when `signal` aborts; an unreachable store
   * is tried again for ever.
   */
  watch(onRecords: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A run that somebody must finish. */
export function journalIsOpen(journal: Journal | null): boolean {
  return journal !== null && !isEnd(journal.step);
}

export function isEnd(step: Step): step is PastRun['outcome'] {
  return step === 'DONE' || step === 'ABORTED' || step === 'UNDONE';
}
