import { join } from 'node:path';
import { z } from 'zod';
import { ROOT, runProgram } from './run-program.ts';

const MAIN = join(ROOT, 'dist/src/main.js');
const count = z.number().int().nonnegative();
const runShape = z.object({
  seeds: count,
  firstSeed: count,
  seconds: z.number(),
  failovers: count,
  acknowledgedWrites: count,
  virtualMs: z.number(),
  failures: z.array(z.object({ seed: count, message: z.string() })),
});
const proofShape = z.object({
  seeds: count,
  machines: z.array(z.object({ name: z.string(), seeds: count.nullable(), invariant: z.string().nullable() })),
});

export interface SimulationFigures {
  /** How many seeds were to run. */
  readonly asked: number;
  readonly run: z.infer<typeof runShape>;
  readonly proof: z.infer<typeof proofShape>;
}

/** The engine's own simulator as the program that it is: so many seeds, then its proof that it finds what is wrong, with at most `proofSeeds` each. */
export async function simulation(seeds: number, proofSeeds: number, signal: AbortSignal): Promise<SimulationFigures> {
  const run = runShape.parse(await runProgram(MAIN, ['simulate', '--seeds', String(seeds)], { signal }));
  const proof = proofShape.parse(await runProgram(MAIN, ['simulate', '--wrong-machines', '--seeds', String(proofSeeds)], { signal }));
  return { asked: seeds, run, proof };
}

export function simulationHolds({ asked, run, proof }: SimulationFigures): boolean {
  const whole = run.seeds === asked && run.failures.length === 0;
  return whole && proof.machines.length > 0 && proof.machines.every(({ seeds }) => seeds !== null);
}

export function simulationTable({ asked, run, proof }: SimulationFigures): string {
  const { seeds, seconds, failovers, acknowledgedWrites, virtualMs, failures } = run;
  const hours = (virtualMs / 3_600_000).toFixed(1);
  const found = proof.machines.filter((one) => one.seeds !== null).length;
  return [
    `${seeds} of ${asked} seeds in ${seconds.toFixed(1)} s (${Math.round((seeds / seconds) * 10)} in 10 s): ${failures.length} broke an invariant.`,
    `${failovers} failovers, ${acknowledgedWrites} acknowledged writes, ${hours} h of virtual time.`,
    '',
    `${found} of ${proof.machines.length} wrong machines found within ${proof.seeds} seeds each:`,
    '',
    '| wrong machine | seeds until found | by |',
    '|---|---|---|',
    ...proof.machines.map((one) => `| ${one.name} | ${one.seeds ?? 'not found'} | ${one.invariant ?? ''} |`),
  ].join('\n');
}
