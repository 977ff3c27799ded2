import { loadavg } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { refuseMissingTools } from '../commands/missing-tools.ts';
import { load } from '../commands/scenarios.ts';
import { lostCount } from '../report/figures.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { AskedDatabase } from '../scenario/scenario.ts';
import { breakdown } from './breakdown.ts';
import { runGamedayProgram } from './gameday-cli.ts';
import { revision, UNKNOWN } from '../platform/revision.ts';
import { keptRuns, type KeptRuns } from './kept-runs.ts';
import { machineInWords } from './publish.ts';
import { playKept, revisionOf } from './play-kept.ts';
import { ROOT, runProgram, type RunOptions } from './run-program.ts';

/** Those whose times are broken down first, the two minutes of the flapping link last: runs in pieces then tell something early. */
export const FAILOVER_SCENARIOS = [
  'region-loss',
  'frozen-primary',
  'one-way',
  'switchover',
  'failback',
  'arbiter-quorum-lost',
  'arbiter-and-standby-lost',
  'best-standby-dead',
  'two-regions-lost',
  'seal-quorum-lost',
  'dns-down',
  'lag-above-rpo',
  'slow-primary',
  'clock-jump',
  'leader-killed',
  'two-controllers',
  'flapping',
] as const;

const number = z.number().nullable();
const outcome = z.enum(['pass', 'fail', 'inconclusive', 'warn', 'skipped', 'none']);

/** What is kept of a run, one line a run. */
export const playedShape = z.object({
  file: z.string(),
  scenario: z.string(),
  runId: z.string(),
  startedWall: z.string(),
  /** Of the program that ran. */
  revision: z.string(),
  /** Runs of before machines were kept have none. */
  machine: z.string().default(UNKNOWN),
  /** One-minute load of the machine when the run began: others may work on it. */
  load: z.number(),
  durationMs: z.number(),
  replication: z.string(),
  /** What the scenario expects of the loss of acknowledged writes. Runs of before it was kept were all judged as if it were none. */
  expectLoss: z.string().default('none'),
  expectFailover: z.string(),
  verdict: z.object({ outcome: z.enum(['pass', 'fail', 'inconclusive']), reason: z.string() }),
  acknowledged: z.number(),
  /** Null: no copy could be read back. */
  lost: number,
  splitBrain: z.number(),
  /** How the checks of the promises stand. */
  checks: z.object({ lostWrites: outcome, singlePrimary: outcome, expectedFailover: outcome }),
  /** Changes of the serving region, as clients saw them. */
  moves: z.number(),
  writePauseMs: number,
  /** Null: not known, or a run of before it was kept. */
  recoveryPointMs: number.default(null),
  breakdown: z.record(z.string(), number),
});
export type PlayedRun = z.infer<typeof playedShape>;

export interface FailoverBench {
  readonly repeat: number;
  /** Names of scenarios; none: all. */
  readonly only: readonly string[];
  /** Keep what earlier calls played. */
  readonly resume: boolean;
  /** No run begins after so long; null: all of them. */
  readonly minutes: number | null;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What is played, and where its runs are kept. */
export interface Course {
  /** Under this name it is published. */
  readonly bench: string;
  readonly names: readonly string[];
  readonly kept: KeptRuns<PlayedRun>;
  /** Instead of what the scenarios say. */
  readonly database?: AskedDatabase;
  /** Throws where some of it cannot be played here. */
  readonly need?: (scenarios: readonly LoadedScenario[]) => void;
}
export const FAILOVERS: Course = { bench: 'failover', names: FAILOVER_SCENARIOS, kept: keptRuns('failover', playedShape) };

/** Plays every scenario as often as asked, one round after the other, and keeps each run as soon as it is over; answers all that are kept. */
export async function playFailovers(
  bench: FailoverBench,
  { names: all, kept, database, need = refuseMissingTools }: Course = FAILOVERS,
): Promise<readonly PlayedRun[]> {
  const files = filesOf(
    all.filter((name) => bench.only.length === 0 || bench.only.includes(name)),
    database,
  );
  need(files.flatMap(({ scenarios }) => scenarios)); // before what earlier calls kept is thrown away
  if (!bench.resume) kept.clear();
  const endMs = bench.minutes === null ? Infinity : performance.now() + bench.minutes * 60_000;
  for (let round = 1; round <= bench.repeat; round++) {
    for (const { name, file, variants } of files) {
      if (performance.now() > endMs || bench.signal.aborted) return kept.all();
      if (roundsOf(variants, kept.all()) >= round) continue;
      bench.say(`round ${round} of ${bench.repeat}: ${name}`);
      const [loadNow] = loadavg();
      const on = database === undefined ? [] : ['--database', database];
      const day = {
        name,
        revision: revision(ROOT),
        scenarios: variants,
        play: (options: RunOptions) => runGamedayProgram([join(ROOT, file), ...on], options),
        runOf: (result: ResultDocument) => playedRun(file, result, loadNow ?? 0),
      };
      await playKept(kept, day, bench.signal);
    }
  }
  return kept.all();
}

/** Every scenario that is to be played, variants each by its own name. */
export function askedScenarios(only: readonly string[], { names, database }: Course = FAILOVERS): readonly string[] {
  return filesOf(
    names.filter((name) => only.length === 0 || only.includes(name)),
    database,
  ).flatMap(({ variants }) => variants);
}

/** The others, by their files. */
export function unaskedScenarios(only: readonly string[], { names }: Course = FAILOVERS): readonly string[] {
  return only.length === 0 ? [] : names.filter((name) => !only.includes(name));
}

/** A scenario's file, as the package has it. `variants`: names of its scenarios. */
interface ScenarioFile {
  readonly name: string;
  readonly file: string;
  readonly scenarios: readonly LoadedScenario[];
  readonly variants: readonly string[];
}

/** By the root of the package. */
export const scenarioFileOf = (name: string): string => join('scenarios', `${name}.yaml`);

function filesOf(names: readonly string[], database: AskedDatabase | undefined): readonly ScenarioFile[] {
  return names.map((name) => {
    const file = scenarioFileOf(name);
    const scenarios = load([join(ROOT, file)], database);
    return { name, file, scenarios, variants: scenarios.map(({ scenario }) => scenario.name) };
  });
}

/** How often every variant of a file was played. */
function roundsOf(variants: readonly string[], runs: readonly PlayedRun[]): number {
  return Math.min(...variants.map((name) => runs.filter((run) => run.scenario === name).length));
}

export function playedRun(file: string, result: ResultDocument, loadNow: number): PlayedRun {
  const check = (name: string): PlayedRun['checks']['lostWrites'] => {
    const outcomes = result.findings.filter((finding) => finding.check === name).map((finding) => finding.outcome);
    return (['fail', 'inconclusive', 'warn', 'pass', 'skipped'] as const).find((one) => outcomes.includes(one)) ?? 'none';
  };
  return {
    file,
    scenario: result.scenario.name,
    runId: result.runId,
    startedWall: result.startedWall,
    revision: revisionOf(result),
    machine: machineInWords(),
    load: loadNow,
    durationMs: result.durationMs,
    replication: result.scenario.replication,
    expectLoss: result.scenario.expect.loss,
    expectFailover: result.scenario.expect.failover,
    verdict: result.verdict,
    acknowledged: result.writes.acknowledged,
    lost: lostCount(result),
    splitBrain: result.splitBrain.length,
    checks: {
      lostWrites: check('lost-writes'),
      singlePrimary: check('single-primary'),
      expectedFailover: check('expected-failover'),
    },
    moves: result.reigns.filter(({ region }, i) => i > 0 && region !== result.reigns[i - 1]?.region).length,
    writePauseMs: result.writePause?.pauseMs ?? null,
    recoveryPointMs: result.recoveryPointMs,
    breakdown: { ...breakdown(result) },
  };
}

const spanShape = z.object({ earliestMs: z.number(), meanMs: z.number(), latestMs: z.number() });
const policyShape = z.object({
  preset: z.string(),
  ttlSeconds: z.number(),
  expected: z.object({ decided: spanShape, fenced: spanShape, nameForgotten: spanShape, service: spanShape }),
});
export type PolicyExpectation = z.infer<typeof policyShape>;

/** What the engine computes from a policy's own numbers. */
export async function policyExpectation(preset: 'lab' | 'production', ttlSeconds: number, signal: AbortSignal): Promise<PolicyExpectation> {
  const args = ['policy', '--preset', preset, '--ttl', String(ttlSeconds)];
  return policyShape.parse(await runProgram(join(ROOT, 'dist/src/main.js'), args, { signal }));
}
