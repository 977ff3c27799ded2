import { NO_RECORDS, RECORD_NAMES, type Held, type RecordName, type Records, type Snapshot } from '../arbiter/arbiter.ts';
import { sightLease, type LeaseSighting } from './fencing.ts';

/** What this controller knows of the arbiter's records, and since when it knows the two that are judged by their age. */
export interface Knowledge {
  readonly records: Snapshot;
  readonly lease: LeaseSighting | null;
  /** The last lease of a lower epoch than the present one's. */
  readonly replaced: LeaseSighting | null;
  /** When the leader's record was first seen at its present revision; before the first sight, when looking began. */
  readonly leaderSeenAtMs: number;
}

export function nothingKnown(nowMs: number): Knowledge {
  return { records: NO_RECORDS, lease: null, replaced: null, leaderSeenAtMs: nowMs };
}

/** With a snapshot taken in, record by record: what is known to be newer (an own write that the watch has not shown yet) stays. */
export function takeSnapshot(before: Knowledge, snapshot: Snapshot, nowMs: number): Knowledge {
  let known = before;
  for (const name of RECORD_NAMES) {
    const held = snapshot[name];
    if (held !== null) known = takeRecord(known, name, held, nowMs);
  }
  return known;
}

export function takeRecord<K extends RecordName>(before: Knowledge, name: K, held: Held<Records[K]>, nowMs: number): Knowledge {
  if (held.revision <= (before.records[name]?.revision ?? 0)) return before;
  const records = { ...before.records, [name]: held, revision: Math.max(before.records.revision, held.revision) };
  const known: Knowledge = { ...before, records };
  if (name === 'leader') return { ...known, leaderSeenAtMs: nowMs };
  if (name !== 'lease') return known;
  const lease = sightLease(before.lease, records.lease, nowMs);
  const newEpoch = lease !== null && before.lease !== null && lease.lease.epoch > before.lease.lease.epoch;
  return { ...known, lease, replaced: newEpoch ? before.lease : before.replaced };
}
