import type { Entry } from '../database/database.ts';
import type { EpochTable } from '../replication/epochs.ts';

/** What a disk holds after a power cut: the state between two transactions. */
export interface DiskImage {
  readonly entries: readonly Entry[];
  readonly baseIndex: number;
  readonly lastIndex: number;
  readonly epochs: EpochTable;
  readonly sealedEpoch: number;
  readonly appliedIndex: number;
  readonly data: ReadonlyMap<string, string>;
}

const EMPTY: DiskImage = { entries: [], baseIndex: 0, lastIndex: 0, epochs: [], sealedEpoch: 0, appliedIndex: 0, data: new Map() };

/** A region's disk; outlives the processes that write to it. */
export class SimulatedDisk {
  image: DiskImage = EMPTY;
  /** How long a sync takes at the least. */
  slowMs = 0;
  /** Writes fail until it is mended. */
  broken = false;
  /** Tails that were exported before they were removed. */
  readonly exported: Entry[] = [];
}
