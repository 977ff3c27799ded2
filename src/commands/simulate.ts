import { EngineError } from '../platform/errors.ts';
import { describeFault } from '../simulation/fault.ts';
import { faultsOf } from '../simulation/fault-plan.ts';
import { simulate } from '../simulation/pool.ts';
import { EXIT, type World } from './world.ts';

export interface SimulateOptions {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly workers: number | undefined;
  /** Only these of a seed's faults. */
  readonly keep: readonly number[] | null;
  readonly trace: boolean;
  readonly json: boolean;
}

const MAX_FAILURES = 5;
const SHRINK_BUDGET = 200;

/** Runs the engine's programs in simulated worlds; exits 0 where every seed ran and no invariant was broken, 1 where one was, 130 where it was ended before. */
export async function runSimulation(options: SimulateOptions, world: World): Promise<number> {
  const { seeds, firstSeed, keep, trace, json } = options;
  if (keep !== null) expectThere(keep, options);
  const startedAtMs = performance.now();
  const result = await simulate({
    seeds,
    firstSeed,
    keep,
    trace,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    stopAfterFailures: MAX_FAILURES,
    shrinkBudget: keep === null ? SHRINK_BUDGET : 0,
    signal: world.signal,
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { failures, trace: lines, ...sums } = result;
  if (json) world.out(`${JSON.stringify({ ...sums, asked: seeds, firstSeed, seconds, failures })}\n`);
  else {
    for (const line of lines) world.out(`${line}\n`);
    for (const { seed, message, atMs, faults, keep: kept } of failures) {
      world.out(`seed ${seed}, after ${Math.round(atMs)} ms: ${message}\n`);
      for (const fault of faults) world.out(`  ${describeFault(fault)}\n`);
      world.out(`  again: coditect-dr simulate --seeds 1 --seed ${seed} --keep ${kept.join(',') || 'none'} --trace\n`);
    }
    const { failovers, acknowledgedWrites, virtualMs } = sums;
    world.out(
      `${sums.seeds} of ${seeds} seeds in ${seconds.toFixed(1)} s: ${failures.length} broke an invariant; ${failovers} failovers, ` +
        `${acknowledgedWrites} acknowledged writes, ${Math.round(virtualMs / 1000)} s of virtual time\n`,
    );
  }
  if (failures.length > 0) return EXIT.failed;
  return sums.seeds < seeds ? EXIT.interrupted : EXIT.ok;
}

/** Of a fault that is not there nothing would be tried: no run that keeps it has shown anything. */
function expectThere(keep: readonly number[], { firstSeed, seeds }: SimulateOptions): void {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const count = faultsOf(seed).length;
    const beyond = keep.filter((position) => position >= count);
    if (beyond.length === 0) continue;
    const there = count === 0 ? 'no faults (--keep none)' : `${count} faults, which are 0 to ${count - 1}`;
    throw new EngineError('bad-request', `--keep ${beyond.join(',')}: seed ${seed} has ${there}`);
  }
}
