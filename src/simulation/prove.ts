import { simulate } from './pool.ts';
import type { WrongMachine } from './wrong-machine.ts';
import { WRONG_MACHINES } from './wrong-machines.ts';

export interface Proof {
  readonly name: string;
  /** Seeds that were run until the first one failed; null: none did. */
  readonly seeds: number | null;
  readonly invariant: string | null;
  readonly message: string | null;
}

export interface ProofOptions {
  readonly firstSeed: number;
  /** At most so many for each. */
  readonly seeds: number;
  readonly workers?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProof: (proof: Proof) => void;
}

/** Runs every wrong machine until a seed finds it. Those that none finds tell what the simulator cannot see. */
export async function prove(options: ProofOptions, machines: readonly WrongMachine[] = WRONG_MACHINES): Promise<readonly Proof[]> {
  const proofs: Proof[] = [];
  for (const wrong of machines) {
    if (options.signal.aborted) break;
    const { firstSeed, seeds, workers, signal } = options;
    const limits = workers === undefined ? {} : { workers };
    const { failures } = await simulate({ firstSeed, seeds, ...limits, wrong, signal, stopAfterFailures: 1 });
    const [first] = failures;
    const found = first === undefined ? null : first.seed - firstSeed + 1;
    const proof = { name: wrong.name, seeds: found, invariant: first?.invariant ?? null, message: first?.message ?? null };
    proofs.push(proof);
    options.onProof(proof);
  }
  return proofs;
}
