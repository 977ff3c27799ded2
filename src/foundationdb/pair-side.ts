import { isServing, viewOf } from './cluster-view.ts';
import { isOurMark } from './lock-uid.ts';
import type { CopyRecord, Lag } from './pair-records.ts';
import type { ClusterStatus } from './status-json.ts';

/** One of the two clusters, as one look found it. */
export interface PairSide {
  /** As the configuration calls it. */
  readonly name: string;
  /** Null: no answer. */
  readonly status: ClusterStatus | null;
  readonly record: CopyRecord | null;
}

/** One look at both. */
export interface PairSeen {
  /** The one that the order names: which is to be the copy (start), or to take over (switch, abort). */
  readonly own: PairSide;
  readonly other: PairSide;
  /** How far `own` is behind `other`, where it is a complete copy; null: not known. */
  readonly lag: LagTold | null;
}

/** `askedMs`: wall time before fdbdr was asked, which takes seconds on a busy machine: what has been written since is not in what it tells. */
export type LagTold = Lag & { readonly askedMs: number };

/** For people. */
export function behindText(name: string, lag: Lag | null): string {
  return lag === null || lag.seconds === null ? `how far ${name} is behind is not told` : `${name} is ${lag.seconds.toFixed(2)} s behind`;
}

export type SideLock =
  | { readonly kind: 'none' }
  /** Under the UID of the copy that fdbdr makes, or has made, of the other cluster here. */
  | { readonly kind: 'fdbdr'; readonly uid: string }
  | { readonly kind: 'foreign'; readonly uid: string }
  /** The cluster does not answer, or does not tell. */
  | { readonly kind: 'unknown' };

export function lockOn({ status, record }: PairSide): SideLock {
  const { locked, lockUid } = viewOf(status ?? {});
  if (locked === false) return { kind: 'none' };
  if (locked === null || lockUid === null || record === null) return { kind: 'unknown' };
  return { kind: lockUid === record.uid ? 'fdbdr' : 'foreign', uid: lockUid };
}

/** It has been locked without a break since somebody saw it as a complete copy that goes on: nobody but fdbdr has written there since. */
export function isLockedAsCopy({ record }: PairSide): boolean {
  const { lock = null, lagSeen = null, uid = null } = record ?? {};
  return lock !== null && lagSeen !== null && lagSeen.uid === uid && lagSeen.lock === lock;
}

export function serves({ status }: PairSide): boolean {
  return status !== null && isServing(viewOf(status));
}

/** For whoever stands before it. */
export function lockInWords(name: string, uid: string): string {
  const whose = isOurMark(uid)
    ? 'by coditect-dr: a backup, a restore or a fence; it ends where that ends (docs/runbooks)'
    : 'by somebody else: an operator, fdbrestore, a copy of another cluster';
  return `${name} is locked under ${uid}, ${whose}`;
}

/** Agents that copy from the one to the other: those that both clusters know. Each tells of itself every 30 s or so, and is forgotten 120 s after that. Null: not told. */
export function agentsOf(from: PairSide, to: PairSide): number | null {
  const layers = [from.status?.cluster?.layers, to.status?.cluster?.layers];
  if (layers.includes(undefined)) return null;
  const there = Object.keys(layers[1]?.dr_backup_dest?.instances ?? {});
  return Object.keys(layers[0]?.dr_backup?.instances ?? {}).filter((id) => there.includes(id)).length;
}

/** Whether both clusters' agents have told of the copy that is there now: `fdbdr switch` asks them, not the cluster, and refuses for up to 40 s after its begin. */
export function isTold(from: PairSide, to: PairSide): boolean {
  const told = [from.status?.cluster?.layers?.dr_backup, to.status?.cluster?.layers?.dr_backup_dest];
  return told.every((layer) => layer?.tags?.['default']?.mutation_stream_id === to.record?.uid);
}

/** Whether both are one cluster, as two cluster files may say by mistake: erasing the copy would erase the primary. Null: not told. */
export function isOneCluster(one: PairSide, other: PairSide): boolean | null {
  const [ids, others] = [one, other].map(({ status }) => Object.keys(status?.cluster?.processes ?? {}));
  if (ids === undefined || others === undefined || ids.length === 0 || others.length === 0) return null;
  return ids.some((id) => others.includes(id));
}
