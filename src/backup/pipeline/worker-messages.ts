import type { DataIdentity } from '../../database/data-reader.ts';
import type { Segment } from '../chunking/range-cutter.ts';
import type { End } from '../../platform/end-thread.ts';
import type { PackSettings, PlacedBlob } from './pack-builder.ts';
import type { RowBlock } from './row-block.ts';

/** What a pack worker is started with. */
export interface WorkerSetup {
  /** LMDB folder that it reads by itself; null: rows come with each job. */
  readonly folder: string | null;
  readonly settings: PackSettings;
  readonly chunkKey: Uint8Array;
  /** BlobTable: what need not be stored again. */
  readonly known: SharedArrayBuffer;
  /** Plain bytes cut so far by all workers (one 64-bit number). */
  readonly progress: SharedArrayBuffer;
  /** Workers that have come to a rendezvous (one 32-bit number). */
  readonly barrier: SharedArrayBuffer;
  /** Not 0 where all are to end: seen in the midst of a job, where no message is heard (one 32-bit number). */
  readonly ending: SharedArrayBuffer;
  /** Memory of packs, seen by both sides: the worker fills one, the main thread stores what is in it, and gives it back. */
  readonly slabs: readonly SharedArrayBuffer[];
}

/** Parts of the key space to cut. */
export interface Job {
  readonly segments: readonly Segment[];
  /** What is in them, and the first record of a file after; null: the worker reads it. */
  readonly rows: RowBlock | null;
}

export type ToWorker =
  /** Pin the newest state when `workers` have come together. */
  | { readonly kind: 'pin'; readonly arrivals: number }
  | ({ readonly kind: 'job' } & Job)
  /** A pack was stored: its memory comes back. */
  | { readonly kind: 'slab'; readonly slab: number }
  | End;

export interface FileRef {
  readonly begin: Uint8Array;
  readonly id: Uint8Array;
  readonly records: number;
  readonly bytes: number;
}

/** The files of a segment, in order; none and `empty` where no border is in it. */
export interface CutSegment {
  readonly files: readonly FileRef[];
  readonly end: Uint8Array | null;
  readonly empty: boolean;
}

export type FromWorker =
  | { readonly kind: 'pinned'; readonly identity: DataIdentity }
  | {
      readonly kind: 'pack';
      readonly id: string;
      readonly name: string;
      readonly crc32c: number;
      readonly bytes: number;
      /** Which of the slabs it is in. */
      readonly slab: number;
      readonly blobs: readonly PlacedBlob[];
    }
  | { readonly kind: 'done'; readonly segments: readonly CutSegment[] };
