import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { judge } from '../check/judge.ts';
import type { RunResult, VerdictOutcome } from '../check/verdict.ts';
import { readEvents } from '../history/reader.ts';
import { EXIT, HarnessError } from '../platform/errors.ts';
import { needBinaries } from '../platform/kubernetes/containerless/binaries.ts';
import { enterSandbox } from '../platform/local/sandbox.ts';
import { CHECKS } from '../registry.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import { lostCount } from '../report/figures.ts';
import { resultsTable } from '../report/table.ts';
import { withdrawReports, writeReports, writeUnjudged } from '../report/write.ts';
import type { AskedDatabase, Scenario, ScenarioSet } from '../scenario/scenario.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { askedOf } from '../scenario/on-database.ts';
import type { Output } from './output.ts';
import { anySeed } from './play.ts';
import { playAll } from './play-all.ts';
import { runName } from './places.ts';
import { refuseMissingTools } from './missing-tools.ts';
import { refuseBadPlaces } from './run-input.ts';
import { repetitionSummary } from './repetition.ts';
import { byName, load, loadForSystem } from './scenarios.ts';
import { chooseSet, leftOutText } from './sets.ts';
import { clientsThere, refuseNotAllowed } from './system.ts';
import { takeTurn } from './turn.ts';

export interface RunOptions {
  /** Files; none: the packaged ones of `set` (default). */
  readonly scenarios: readonly string[];
  readonly set?: ScenarioSet | undefined;
  readonly repeat: number;
  readonly seed: number | undefined;
  readonly reports: string;
  readonly engine: string | undefined;
  readonly json: boolean;
  /** Instead of what each scenario says. */
  readonly platform?: 'local' | 'kubernetes' | undefined;
  /** Instead of what each scenario, or the set, says. */
  readonly database?: AskedDatabase | undefined;
  /** A system that is there already, in clusters or by its addresses; one is started for each run when undefined. */
  readonly system?: string | undefined;
}

/** What one run needs. */
export type PlayOptions = Omit<RunOptions, 'scenarios' | 'set' | 'repeat' | 'database'>;

export interface Played {
  readonly folder: string;
  readonly result: ResultDocument;
}

/**
 * `gameday run`: every file is decoded first (bad input starts nothing), then each scenario is played in a sandbox of its own and judged
 * from its record when that sandbox is gone. Returns the exit code; the worst verdict decides. One that breaks off ends all, and what those before it have shown is told.
 */
export async function runScenarios(options: RunOptions, output: Output): Promise<number> {
  const { scenarios, set, database } = options;
  if (options.system !== undefined && options.platform === 'local') throw new HarnessError('bad-input', LOCAL_SYSTEM);
  if (options.system !== undefined && options.engine !== undefined) throw new HarnessError('bad-input', SYSTEM_ENGINE);
  if (set !== undefined && scenarios.length > 0) throw new HarnessError('bad-input', setAndFiles(set));
  const named = (): readonly LoadedScenario[] =>
    options.system === undefined ? load(scenarios, database) : loadForSystem(scenarios, database, clientsThere(options.system));
  const chosen = scenarios.length > 0 ? { played: named(), leftOut: [] } : chooseSet(set ?? 'default', database);
  const { played: loaded } = chosen;
  byName(loaded); // or refused
  const elsewhere = loaded.find((one) => one.scenario.database === 'foundationdb' && platformOf(one, options) !== 'local');
  if (elsewhere !== undefined) throw new HarnessError('bad-input', `${elsewhere.file}: FoundationDB is started in local labs only`);
  refuseMissingTools(loaded);
  if (options.system !== undefined) await refuseNotAllowed(options.system, loaded);
  else if (loaded.some((one) => platformOf(one, options) === 'kubernetes')) needBinaries();
  await refuseBadPlaces(options);
  output.progress(leftOutText(chosen));
  const { runs, brokenOff, missing } = await playAll(loaded, options.repeat, async (scenario, repetition) => {
    const one = await playAndJudge(scenario, { options, repetition });
    const { verdict } = one.result;
    output.progress(`${scenario.scenario.name}: ${verdict.outcome}: ${verdict.reason}\n${join(one.folder, 'report.html')}\n\n`);
    return one;
  });
  if (brokenOff !== null) output.progress(`${brokenOff.message}: ${missing} of ${missing + runs.length} runs have no verdict\n\n`);
  if (options.json) output.json(runs.map(shortResult));
  else output.text(`${summary(runs, options.repeat, output)}${leftOutText(chosen)}`);
  if (runs.at(-1)?.interrupted === true) return EXIT.interrupted;
  return exitCode([...runs.map(({ result }) => result.verdict.outcome), ...(brokenOff === null ? [] : ['inconclusive' as const])]);
}

/** A run on a system of somebody's has no sandbox: a local lab would be made on the machine itself. */
const LOCAL_SYSTEM = '--system names a system that is there already, and --platform local plays on a lab of its own: leave one of them out';

/** The record would name an engine that nobody started. */
const SYSTEM_ENGINE =
  '--system names a system that is there already, with its own engine, and --engine one to start: leave one of them out';

/** The files would be played as they are, which on the set's own database they are not. */
function setAndFiles(set: ScenarioSet): string {
  const how = set === 'foundationdb' ? ', or --database foundationdb to play the files there' : '';
  return `--set ${set} plays the package's scenarios of that set, and files are named as well: leave one of them out${how}`;
}

/** One run: sandbox, record, judgement, reports. Throws HarnessError when there is no record to judge. */
export async function playAndJudge(
  loaded: LoadedScenario,
  { options, repetition }: { readonly options: PlayOptions; readonly repetition: number | null },
): Promise<Played & { readonly interrupted: boolean }> {
  const leave = await takeTurn(() => void process.stderr.write('another game day runs on this machine; waiting for it to end\n'));
  const startedAt = new Date();
  const folder = resolve(options.reports, runName(loaded.scenario.name, startedAt, repetition));
  let code: number;
  try {
    mkdirSync(folder, { recursive: true });
    await writeUnjudged(folder, loaded.scenario.name, startedAt.toISOString());
    const args = playArguments(loaded, folder, options);
    code = options.system === undefined ? await enterSandbox(args) : await playHere(args);
  } finally {
    await leave();
  }
  if (code !== EXIT.pass && code !== EXIT.interrupted)
    throw new HarnessError('lab-failed', `the run in ${folder} broke off (exit code ${code})`);
  const result = await judgeFolder(folder);
  return { folder: relative(process.cwd(), folder), result, interrupted: code === EXIT.interrupted };
}

function playArguments(loaded: LoadedScenario, folder: string, options: PlayOptions): readonly string[] {
  const seed = options.seed ?? loaded.scenario.seed ?? anySeed();
  return [
    resolve(import.meta.dirname, '../main.js'),
    'play',
    '--run-folder',
    folder,
    '--seed',
    String(seed),
    ...(options.engine === undefined ? [] : ['--engine', resolve(options.engine)]),
    ...(options.json ? ['--live-on-stderr'] : []),
    ...(loaded.variant === null ? [] : ['--variant', loaded.variant]),
    '--database',
    askedOf(loaded.scenario),
    ...(options.system === undefined ? ['--platform', platformOf(loaded, options)] : ['--system', resolve(options.system)]),
    loaded.file,
  ];
}

/** Where a system is started for the run; `there` already is one that is given. */
const platformOf = ({ scenario }: LoadedScenario, { platform, system }: PlayOptions): 'local' | 'kubernetes' | 'there' =>
  system === undefined ? (platform ?? scenario.platform) : 'there';

/** In the network where this command runs; a signal for the terminal's group reaches it too, and the others are passed on. */
function playHere(args: readonly string[]): Promise<number> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [...args], { stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    const ended = (settle: () => void): void => {
      for (const signal of SIGNALS) process.off(signal, pass);
      settle();
    };
    child.once('error', (error) => ended(() => reject(error)));
    child.once('exit', (code) => ended(() => done(code ?? EXIT.inconclusive)));
  });
}
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `gameday judge`, and the end of every run: record → verdict → reports. The record alone decides. */
export async function judgeFolder(folder: string): Promise<ResultDocument> {
  return (await judgeRecord(folder)).result;
}

/** The same, with the scenario as it was when it was played. */
export async function judgeRecord(folder: string): Promise<{ readonly result: ResultDocument; readonly scenario: Scenario }> {
  const run = await judgeOrWithdraw(folder);
  return { result: await writeReports(folder, run), scenario: run.scenario };
}

/** A record that cannot be judged leaves no verdict of before beside it. */
async function judgeOrWithdraw(folder: string): Promise<RunResult> {
  try {
    return judge(readEvents(join(folder, 'events.ndjson')), CHECKS);
  } catch (error) {
    const { message } = error as Error;
    const done = await withdrawReports(folder, message);
    if (done === null || !(error instanceof HarnessError)) throw error;
    throw new HarnessError(error.code, `${message}; ${done}`, error);
  }
}

export function exitCode(outcomes: readonly VerdictOutcome[]): number {
  if (outcomes.includes('fail')) return EXIT.fail;
  return outcomes.includes('inconclusive') || outcomes.length === 0 ? EXIT.inconclusive : EXIT.pass;
}

function summary(played: readonly Played[], repeat: number, output: Output): string {
  const table = resultsTable(
    played.map(({ result }) => result),
    { color: output.color, columns: output.columns },
  );
  return repeat === 1 ? `${table}\n` : `${table}\n${repetitionSummary(played.map(({ result }) => result))}\n`;
}

export function shortResult({ folder, result }: Played) {
  const { runId, verdict, recovery, recoveryPointMs } = result;
  return { scenario: result.scenario.name, runId, folder, verdict, recovery, recoveryPointMs, lostWrites: lostCount(result) };
}
