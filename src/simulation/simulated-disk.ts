import type { Entry } from '../database/database.ts';
import type { EpochTable } from '../replication/epochs.ts';

/** What a disk holds after a power cut: the state between two transactions. */
export interface DiskImage {
  /** Of these the first `entryCount`: whoever writes goes on behind them. */
  readonly entries: readonly Entry[];
  readonly entryCount: number;
  readonly baseIndex: number;
  readonly lastIndex: number;
  readonly epochs: EpochTable;
  readonly sealedEpoch: number;
  readonly appliedIndex: number;
}

const EMPTY: DiskImage = { entries: [], entryCount: 0, baseIndex: 0, lastIndex: 0, epochs: [], sealedEpoch: 0, appliedIndex: 0 };

/** A region's disk; outlives the processes that write to it. */
export class SimulatedDisk {
  image: DiskImage = EMPTY;
  /** The key space, as of the same moment. */
  data: Map<string, string> = new Map();
  /** How long a sync takes at the least. */
  slowMs = 0;
  /** Writes fail until it is mended. */
  broken = false;
  /** Tails that were exported before they were removed. */
  readonly exported: Entry[] = [];

  /** Whoever wrote to it must be dead. Exported tails are somebody's by now. */
  empty(): void {
    this.image = EMPTY;
    this.data = new Map();
  }
}
