import type { RemoteDatabase, RemoteSnapshot } from '../../database/remote-snapshot.ts';
import { cutRule, type CutRule } from '../chunking/cut-rule.ts';
import type { Segment } from '../chunking/range-cutter.ts';
import { viewOf } from '../format/blake3.ts';
import { JOB_BYTES } from './plan.ts';
import { RowBlockWriter, type RowBlock } from './row-block.ts';
import type { BackupSource } from './source.ts';
import type { Job } from './worker-messages.ts';

const SLICE_BYTES = 1024 * 1024;
/** Beyond the end of a part only its last file's border is looked for. */
const BORDER_BYTES = 128 * 1024;
/** Parts that are read at the same time, beside those that workers have. */
const AHEAD = 4;
const START = Buffer.alloc(0);

export interface RemoteSourceOptions {
  readonly open: () => Promise<RemoteDatabase>;
  /** What the manifest calls it. */
  readonly kind: string;
  /** Of the epoch under which the backup is made. */
  readonly chunkKey: Uint8Array;
  readonly partBytes?: number;
}

/**
 * A database that is read over the network, by this thread alone: its client has one network thread a process. Parts of the key space are read side by side, parted where the database says
 * that much lies between; whole parts go to the workers. There is no log that tells what changed: everything is read, and only what has a new id is stored.
 */
export function remoteSource({ open, kind, chunkKey, partBytes = JOB_BYTES }: RemoteSourceOptions): BackupSource {
  return {
    open: async () => {
      const database = await open();
      let snapshot: RemoteSnapshot | null = null;
      return {
        newest: () => database.newest(),
        workerFolder: null,
        pin: async (_pool, signal) => {
          const totalBytes = await database.sizeBytes();
          const pinned = (snapshot = await database.snapshot(signal));
          const { end, how } = pinned;
          return {
            identity: { end, epochs: [[end.epoch, end.index]], baseIndex: end.index, slot: 0 },
            tail: null,
            database: { kind, version: '1', snapshot: how },
            totalBytes,
            piecesSince: () => null,
            wholeScan: (_workers, stop) => partsOf(pinned, { rule: cutRule(viewOf(chunkKey)), partBytes }, stop),
          };
        },
        close: async () => {
          try {
            await snapshot?.release();
          } finally {
            database.close();
          }
        },
      };
    },
  };
}

interface Parting {
  readonly rule: CutRule;
  readonly partBytes: number;
}

async function* partsOf(snapshot: RemoteSnapshot, parting: Parting, signal: AbortSignal): AsyncGenerator<Job> {
  const points = await snapshot.splitPoints(parting.partBytes);
  const begins = [START, ...points];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ahead: Promise<Job>[] = [];
  let next = 0;
  const readNext = (): void => {
    const number = next++;
    if (number >= begins.length) return;
    const segment = { begin: begins[number]!, beginExact: number === 0, end: begins[number + 1] ?? null, endExact: false };
    const reading = readPart(snapshot, segment, parting, either).then((rows) => ({ segments: [segment], rows }));
    // Its turn comes; until then a failure waits with it.
    reading.catch(() => undefined);
    ahead.push(reading);
  };
  try {
    for (let n = 0; n < AHEAD; n++) readNext();
    for (let reading = ahead.shift(); reading !== undefined; reading = ahead.shift()) {
      const job = await reading;
      readNext();
      yield job;
    }
  } finally {
    stop.abort(new Error('the scan has ended'));
    await Promise.allSettled(ahead);
  }
}

/** A part up to the first border at or after its end, with the record there: the next part's first file begins with it. */
async function readPart(
  snapshot: RemoteSnapshot,
  { begin, end }: Segment,
  { rule, partBytes }: Parting,
  signal: AbortSignal,
): Promise<RowBlock> {
  const block = new RowBlockWriter(partBytes + partBytes / 4);
  for (let from: Uint8Array | null = begin; from !== null;) {
    const isWithin: boolean = end !== null && Buffer.compare(from, end) < 0;
    const { rows, next } = await snapshot.slice(from, isWithin ? end : null, isWithin || end === null ? SLICE_BYTES : BORDER_BYTES, signal);
    for (const [key, value] of rows) {
      block.add(key, value);
      if (end !== null && Buffer.compare(key, end) >= 0 && rule.begins(key, key.length, key.length + value.length)) return block.finish();
    }
    from = next ?? (isWithin ? Buffer.from(end!) : null);
  }
  return block.finish();
}
