import { loadavg } from 'node:os';
import { z } from 'zod';
import { revision, UNKNOWN } from '../platform/revision.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import { breakdown } from './breakdown.ts';
import { runGamedayProgram } from './gameday-cli.ts';
import { keptRuns, type BegunDay } from './kept-runs.ts';
import { playKept, revisionOf } from './play-kept.ts';
import { machineInWords } from './publish.ts';
import { ROOT, type RunOptions } from './run-program.ts';

/** The four of issue 7: a partition without a failover, a dead region, a killed database, a killed controller. */
export const SIDE_BY_SIDE = ['region-partition', 'region-loss', 'database-kill', 'controller-kill'] as const;
export const PLATFORMS = ['local', 'kubernetes'] as const;

/** What is kept of a run, one line a run. */
const playedShape = z.object({
  scenario: z.enum(SIDE_BY_SIDE),
  platform: z.enum(PLATFORMS),
  runId: z.string(),
  startedWall: z.string(),
  revision: z.string(),
  /** Runs of before machines were kept have none. */
  machine: z.string().default(UNKNOWN),
  /** One-minute load of the machine when the run began: others may work on it. */
  load: z.number(),
  verdict: z.object({ outcome: z.enum(['pass', 'fail', 'inconclusive']), reason: z.string() }),
  /** By the scenario. Where it is not, the verdict alone says whether what was seen may be. */
  outageExpected: z.boolean().default(false),
  /** Null: there was no outage to recover from, or no end of it was seen. */
  recovery: z.object({ lowerMs: z.number(), upperMs: z.number() }).nullable(),
  injectionLatencyMs: z.array(z.number()),
  /** Where the recovery went, by bench/breakdown.ts. */
  breakdown: z.record(z.string(), z.number().nullable()).default({}),
  /** Digests of the manifest files as the run read them. */
  manifests: z.array(z.string()),
});
export type SideRun = z.infer<typeof playedShape>;

export interface SideBySide {
  readonly repeat: number;
  /** Keep what earlier calls played. */
  readonly resume: boolean;
  /** No run begins after so long; null: all of them. */
  readonly minutes: number | null;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Played {
  readonly runs: readonly SideRun[];
  readonly brokenOff: readonly BegunDay[];
}

const kept = keptRuns('kubernetes', playedShape);

/**
 * Plays each scenario on both platforms in turns, so often, and keeps each run as soon as it is over; answers all that are kept of the program that is there now: runs of another revision say
 * nothing of it, and are played again.
 */
export async function playSideBySide({ repeat, resume, minutes, say, signal }: SideBySide): Promise<Played> {
  if (!resume) kept.clear();
  const now = revision(ROOT);
  const mine = (): readonly SideRun[] => kept.all().filter((run) => run.revision === now);
  const played = (): Played => ({ runs: mine(), brokenOff: kept.brokenOff().filter((day) => day.revision === now) });
  const others = kept.all().length - mine().length;
  if (others > 0) say(`${others} kept runs are of another revision than ${now}, and do not count`);
  const endMs = minutes === null ? Infinity : performance.now() + minutes * 60_000;
  for (let round = 1; round <= repeat; round++)
    for (const scenario of SIDE_BY_SIDE)
      // Whoever goes first has the machine as others left it: by turns.
      for (const platform of round % 2 === 1 ? PLATFORMS : PLATFORMS.toReversed()) {
        if (performance.now() > endMs || signal.aborted) return played();
        if (mine().filter((run) => run.scenario === scenario && run.platform === platform).length >= round) continue;
        say(`round ${round} of ${repeat}: ${scenario}, ${platform}`);
        const [loadNow = 0] = loadavg();
        const day = {
          name: `${scenario} on ${platform}`,
          revision: now,
          scenarios: [scenario],
          play: (options: RunOptions) => runGamedayProgram([`scenarios/${scenario}.yaml`, '--platform', platform], options),
          runOf: (result: ResultDocument) => sideRun(scenario, result, loadNow),
        };
        await playKept(kept, day, signal);
      }
  return played();
}

export function sideRun(scenario: SideRun['scenario'], result: ResultDocument, loadNow: number): SideRun {
  const { recovery, faults, runId, startedWall, verdict } = result;
  return {
    scenario,
    platform: z.enum(PLATFORMS).parse(result.scenario.platform),
    runId,
    startedWall,
    revision: revisionOf(result),
    machine: machineInWords(),
    load: loadNow,
    verdict,
    outageExpected: result.scenario.expect.outage === 'expected',
    recovery: recovery.state === 'recovered' ? { lowerMs: recovery.lowerMs, upperMs: recovery.upperMs } : null,
    injectionLatencyMs: faults.flatMap((one) => (one.injectionLatencyMs === null ? [] : [one.injectionLatencyMs])),
    breakdown: { ...breakdown(result) },
    manifests: faults.map((one) => one.manifestSha256),
  };
}
