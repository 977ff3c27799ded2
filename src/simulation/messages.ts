import type { Fault } from './fault.ts';
import type { SeedResult } from './run-seed.ts';
import type { WrongMachine } from './wrong-machine.ts';

/** What a worker is made with. */
export interface WorkerSetting {
  readonly wrong: WrongMachine | null;
}

/** Asked of a worker: run these seeds. */
export interface Task {
  readonly seeds: readonly number[];
  /** Runs to find the fewest faults with which a seed still fails; 0: as they are. */
  readonly shrinkBudget: number;
  /** Only these of the seed's faults (by position). */
  readonly keep: readonly number[] | null;
  /** Besides the seed's own. */
  readonly more: readonly Fault[];
  readonly trace: boolean;
}

export interface Failure {
  readonly seed: number;
  readonly invariant: string;
  readonly message: string;
  readonly atMs: number;
  readonly faults: readonly Fault[];
  /** Their positions among the seed's faults. */
  readonly keep: readonly number[];
}

/** Answered: the sums, and what failed. */
export interface TaskResult {
  readonly results: readonly SeedResult[];
  readonly failures: readonly Failure[];
  readonly trace: readonly string[];
}
