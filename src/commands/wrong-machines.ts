import { prove, type Proof } from '../simulation/prove.ts';
import { EXIT, type World } from './world.ts';

export interface ProofOptions {
  /** At most so many for each. */
  readonly seeds: number;
  readonly firstSeed: number;
  readonly workers: number | undefined;
  readonly json: boolean;
}

/** Shows that the simulator finds what is wrong: exits 0 where a seed finds every wrong machine, 1 where one is not found. */
export async function proveSimulator({ json, ...options }: ProofOptions, world: World): Promise<number> {
  const tell = ({ name, seeds, invariant }: Proof): void => {
    if (!json)
      world.out(`${seeds === null ? ' none' : String(seeds).padStart(5)} seeds  ${name}${invariant === null ? '' : `  → ${invariant}`}\n`);
  };
  const machines = await prove({ ...options, signal: world.signal, onProof: tell });
  const missed = machines.filter(({ seeds }) => seeds === null);
  if (json) world.out(`${JSON.stringify({ firstSeed: options.firstSeed, seeds: options.seeds, machines })}\n`);
  else
    world.out(
      `${machines.length - missed.length} of ${machines.length} wrong machines found${world.signal.aborted ? '; interrupted, the others were not tried' : ''}\n`,
    );
  if (world.signal.aborted) return EXIT.interrupted;
  return missed.length === 0 ? EXIT.ok : EXIT.failed;
}
