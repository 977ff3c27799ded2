import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Fault } from './fault.ts';
import type { Failure, Task, TaskResult, WorkerSetting } from './messages.ts';
import type { WrongMachine } from './wrong-machine.ts';

export interface SimulationOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly workers?: number;
  readonly wrong?: WrongMachine | null;
  /** Ends when so many seeds have failed. */
  readonly stopAfterFailures?: number;
  readonly shrinkBudget?: number;
  readonly keep?: readonly number[] | null;
  /** Faults besides those of each seed. */
  readonly more?: readonly Fault[];
  readonly trace?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

export interface SimulationResult {
  readonly seeds: number;
  readonly failures: readonly Failure[];
  readonly failovers: number;
  readonly acknowledgedWrites: number;
  readonly happenings: number;
  readonly virtualMs: number;
  readonly trace: readonly string[];
}

const CHUNK = 8;

/** Runs seeds on several threads. Throws where a thread breaks (a wrong machine whose text is gone, too little memory). */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const {
    firstSeed,
    seeds,
    wrong = null,
    stopAfterFailures = Infinity,
    shrinkBudget = 0,
    keep = null,
    more = [],
    trace = false,
    signal,
  } = options;
  const sum = { seeds: 0, failovers: 0, acknowledgedWrites: 0, happenings: 0, virtualMs: 0 };
  const failures: Failure[] = [];
  const lines: string[] = [];
  let next = firstSeed;
  const end = firstSeed + seeds;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { wrong } satisfies WorkerSetting,
      // Worlds make much that does not live long.
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    });
    try {
      while (next < end && failures.length < stopAfterFailures && signal?.aborted !== true) {
        const task: Task = { seeds: range(next, Math.min(end, next + CHUNK)), shrinkBudget, keep, more, trace };
        next += CHUNK;
        worker.postMessage(task);
        const [result] = (await once(worker, 'message')) as [TaskResult];
        for (const { failovers, acknowledgedWrites, happenings, virtualMs } of result.results) {
          sum.seeds++;
          sum.failovers += failovers;
          sum.acknowledgedWrites += acknowledgedWrites;
          sum.happenings += happenings;
          sum.virtualMs += virtualMs;
        }
        failures.push(...result.failures);
        lines.push(...result.trace);
        options.onProgress?.(sum.seeds);
      }
    } finally {
      await worker.terminate();
    }
  };
  const threads = Math.max(1, Math.min(options.workers ?? availableParallelism(), Math.ceil(seeds / CHUNK)));
  await Promise.all(Array.from({ length: threads }, work));
  return { ...sum, failures: failures.toSorted((a, b) => a.seed - b.seed), trace: lines };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
