import { HarnessError } from '../platform/errors.ts';

export interface PlayedAll<Run> {
  readonly runs: readonly Run[];
  /** Why the last one has no verdict; null: each has one. */
  readonly brokenOff: HarnessError | null;
  /** How many more there were to be, the one that broke off among them. */
  readonly missing: number;
}

/**
 * Plays each so often, one after the other, until somebody interrupts one or one breaks off: nothing is as it should be then. What those before it have shown stands, a failure above all.
 * Throws what is no HarnessError, and that of a first run: there is nothing to tell beside it.
 */
export async function playAll<Scenario, Run extends { readonly interrupted: boolean }>(
  scenarios: readonly Scenario[],
  repeat: number,
  play: (scenario: Scenario, repetition: number | null) => Promise<Run>,
): Promise<PlayedAll<Run>> {
  const planned = scenarios.flatMap((scenario) =>
    Array.from({ length: repeat }, (_, n) => ({ scenario, repetition: repeat === 1 ? null : n + 1 })),
  );
  const runs: Run[] = [];
  for (const { scenario, repetition } of planned) {
    try {
      const run = await play(scenario, repetition);
      runs.push(run);
      if (run.interrupted) break;
    } catch (error) {
      if (!(error instanceof HarnessError) || runs.length === 0) throw error;
      return { runs, brokenOff: error, missing: planned.length - runs.length };
    }
  }
  return { runs, brokenOff: null, missing: planned.length - runs.length };
}
