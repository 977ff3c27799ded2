import { parentPort, workerData } from 'node:worker_threads';
import type { Fault } from './fault.ts';
import type { Failure, Task, TaskResult, WorkerSetting } from './messages.ts';
import { installStandIns } from './stand-ins.ts';
import { loadWrong } from './wrong-machine.ts';

const { wrong } = workerData as WorkerSetting;
if (wrong !== null) loadWrong(wrong);
installStandIns();
// Only now: the engine is loaded as this thread is to see it.
const { faultsOf } = await import('./fault-plan.ts');
const { runSeed } = await import('./run-seed.ts');
const { shrink } = await import('./shrink.ts');

parentPort?.on('message', (task: Task) => {
  void carryOut(task).then(
    (result) => parentPort?.postMessage(result),
    (error: unknown) => {
      throw error;
    },
  );
});

async function carryOut({ seeds, shrinkBudget, keep, more, trace: traced }: Task): Promise<TaskResult> {
  const results: TaskResult['results'][number][] = [];
  const failures: Failure[] = [];
  const trace: string[] = [];
  const onLine = traced
    ? (atMs: number, who: string, action: string, details: unknown): void =>
        void trace.push(`${atMs.toFixed(1).padStart(9)} ${who.padEnd(24)} ${action} ${JSON.stringify(details)}`)
    : null;
  // Stacks take time, and nobody reads those of expected errors.
  Error.stackTraceLimit = traced ? 10 : 0;
  for (const seed of seeds) {
    const all: readonly Fault[] = [...faultsOf(seed), ...more];
    const faults = keep === null ? all : all.filter((fault, i) => keep.includes(i) || more.includes(fault));
    const result = await runSeed({ seed, faults, onLine });
    results.push(result);
    if (result.violation === null) continue;
    const { invariant } = result.violation;
    const fails = async (candidate: typeof faults): Promise<boolean> =>
      (await runSeed({ seed, faults: candidate })).violation?.invariant === invariant;
    const fewest = await shrink(faults, fails, shrinkBudget);
    const last = fewest === faults ? result : await runSeed({ seed, faults: fewest });
    failures.push({ seed, ...(last.violation ?? result.violation), faults: fewest, keep: fewest.map((fault) => all.indexOf(fault)) });
  }
  return { results, failures, trace };
}
