import { z } from 'zod';

const count = z.number().int().nonnegative();
const region = z.string().min(1);

/**
 * Who may write, and under which epoch: the only source of epochs. `holder: null` is a pending epoch: a failover has taken it, no database serves, and the database that
 * is promoted takes it by CAS with `seq` 0. A pending lease's `incarnation` is the run's id and its `seq` the revision of the lease that it replaced: who saw just that
 * revision knows when the old holder stops.
 */
export const leaseShape = z.strictObject({ epoch: count, holder: region.nullable(), incarnation: z.string().min(1), seq: count });
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

/** The steps that are journalled. Everything before ACQUIRE is a leader's opinion and leaves no trace; from ACQUIRE on somebody must finish. */
export const STEPS = ['ACQUIRE', 'FENCE_AND_SEAL', 'PROMOTE', 'VERIFY_DB', 'ROUTE', 'VERIFY_E2E', 'DONE', 'ABORTED'] as const;
export type Step = (typeof STEPS)[number];

export const sealedLogShape = z.strictObject({ region, lastEpoch: count, lastIndex: count });
export type SealedLog = z.infer<typeof sealedLogShape>;

/** The journal of the last failover. Open unless `step` is DONE or ABORTED. */
export const journalShape = z.strictObject({
  runId: z.string().min(1),
  /** The epoch that this run takes, one above that of the lease it replaces. */
  epoch: count,
  from: region,
  to: region.nullable(),
  /** An operator asked for this region. */
  target: region.nullable(),
  step: z.enum(STEPS),
  intent: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  /** The commit rule that was in force when it was frozen. */
  mode: z.enum(['sync', 'async']),
  set: z.array(region),
  w: count,
  sealed: z.array(sealedLogShape),
  /** Candidates that could not be promoted in this run. */
  failed: z.array(region),
  fencedBy: z.enum(['holder', 'lease']).nullable(),
  /** An operator accepted that writes may be lost: the seal quorum need not be reached. */
  lossAccepted: z.boolean(),
  owner: region,
  ownerIncarnation: z.string().min(1),
  seq: count,
});
export type Journal = z.infer<typeof journalShape>;

/** Which controller acts. Not a fence: what it does is fenced by the epoch and by the journal's revision. */
export const leaderShape = z.strictObject({ region, incarnation: z.string().min(1), seq: count });
export type Leader = z.infer<typeof leaderShape>;

export const RECORD_SHAPES = { lease: leaseShape, replication: replicationShape, failover: journalShape, leader: leaderShape } as const;
export interface Records {
  readonly lease: Lease;
  readonly replication: Replication;
  readonly failover: Journal;
  readonly leader: Leader;
}
export type RecordName = keyof Records;
export const RECORD_NAMES: readonly RecordName[] = ['lease', 'replication', 'failover', 'leader'];

/** A record as the arbiter holds it; `revision` grows with each write of it and is what the next CAS must name. */
export interface Held<T> {
  readonly value: T;
  readonly revision: number;
}
/** All records at one revision of the store. */
export interface Snapshot extends Readonly<{ [K in RecordName]: Held<Records[K]> | null }> {
  readonly revision: number;
}

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

/** A failover that somebody must finish. */
export function journalIsOpen(journal: Journal | null): boolean {
  return journal !== null && journal.step !== 'DONE' && journal.step !== 'ABORTED';
}
