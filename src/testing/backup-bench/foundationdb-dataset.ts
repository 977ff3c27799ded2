import { createHash } from 'node:crypto';
import type { PutRow } from '../../database/remote-target.ts';
import { openCluster } from '../../foundationdb/client.ts';
import { openFence } from '../../foundationdb/fence.ts';
import { keySpaceOf } from '../../foundationdb/key-space.ts';
import { foundationdbToFill } from '../../foundationdb/remote-target.ts';
import { readSlice } from '../../foundationdb/slices.ts';
import { documentAt } from './documents.ts';
import type { FoundationdbPlace } from '../foundationdb-config.ts';

export interface FoundationdbDataset {
  readonly records: number;
  /** Keys and values, without anything around them: what every rate is counted in. */
  readonly bytes: number;
}

export const PREFIX = 'bench/';
const keys = keySpaceOf(PREFIX);
const PUT_BYTES = 512 * 1024;
const PUTS_AT_ONCE = 16;
const SLICE_BYTES = 1024 * 1024;
const never = new AbortController().signal;

/** A key space that is served: then a backup is made as of one that is used. */
export async function loadFoundationdb({ clusterFile, library }: FoundationdbPlace, wantedBytes: number): Promise<FoundationdbDataset> {
  const db = openCluster({ clusterFile, library, tls: null });
  const target = foundationdbToFill({ db, keys, lock: { system: 'bench', epoch: 1 } });
  try {
    await target.begin('bench');
    let [bytes, records] = [0, 0];
    const putting: Promise<void>[] = [];
    while (bytes < wantedBytes) {
      const rows: PutRow[] = [];
      for (let batch = 0; batch < PUT_BYTES && bytes < wantedBytes;) {
        const { key, value } = documentAt(records++, 0);
        const row = { key: Buffer.from(key), value: Buffer.from(value) };
        rows.push(row);
        batch += row.key.length + row.value.length;
        bytes += row.key.length + row.value.length;
      }
      putting.push(target.put(rows));
      if (putting.length >= PUTS_AT_ONCE) await putting.shift();
    }
    await Promise.all(putting);
    await target.finish(1);
    const served = await openFence(db, keys.fence, { epoch: 2, region: 'us-east1' }, 10_000);
    if (served.kind !== 'done') throw new Error(served.message);
    return { bytes, records };
  } finally {
    db.close();
  }
}

/** Of all records, in their order. Nobody writes meanwhile. */
export async function digestOf({ clusterFile, library }: FoundationdbPlace): Promise<string> {
  const db = openCluster({ clusterFile, library, tls: null });
  try {
    const hash = createHash('sha256');
    const rules = { prepare: () => undefined, confirm: () => Promise.resolve(), keptFor: null, tooOld: null };
    for (let from: Uint8Array | null = Buffer.alloc(0); from !== null;) {
      const { rows, next } = await readSlice({ db, keys }, rules, { from, to: null, bytes: SLICE_BYTES }, never);
      for (const [key, value] of rows) hash.update(`${key.length} ${value.length} `).update(key).update(value);
      from = next;
    }
    return hash.digest('hex');
  } finally {
    db.close();
  }
}
