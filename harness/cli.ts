import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { join } from 'node:path';
import { runCalibration } from './commands/calibrate.ts';
import { checkManifests, explainManifests } from './commands/chaos.ts';
import { standardOutput, type Output } from './commands/output.ts';
import { DEFAULT_REPORTS, packagedScenarios } from './commands/places.ts';
import { SETS, type ScenarioSet } from './scenario/scenario.ts';
import { anySeed, play } from './commands/play.ts';
import { refuseBadPlaces } from './commands/run-input.ts';
import { exitCode, judgeFolder, runScenarios, shortResult } from './commands/run.ts';
import { load } from './commands/scenarios.ts';
import { EXIT, HarnessError } from './platform/errors.ts';
import { doctor } from './platform/local/doctor.ts';
import { labUp } from './platform/local/lab-up.ts';
import { insideSandbox } from './platform/local/sandbox.ts';
import { resultsTable } from './report/table.ts';

const EXIT_CODES = `
Exit codes: 0 pass, 1 fail, 2 bad input, 3 inconclusive or broken off, 130 interrupted and healed.`;

/** argv → command → exit code. What is wrong with the input is written to stderr; nothing is thrown. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.pass;
  const program = commands((result) => (code = result));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.pass : EXIT.badInput;
    process.stderr.write(`${error instanceof HarnessError ? error.message : describeBug(error)}\n`);
    return error instanceof HarnessError && error.code === 'bad-input' ? EXIT.badInput : EXIT.inconclusive;
  }
}

function commands(end: (code: number) => void): Command {
  const program = new Command('gameday')
    .description('Starts a multi-region system, breaks it, measures from outside, and judges.')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .showHelpAfterError('(gameday --help shows what there is)');
  addRun(program, end);
  addJudging(program, end);
  addCalibrate(program, end);
  addLab(program, end);
  addPlay(program, end);
  return program;
}

function addRun(program: Command, end: (code: number) => void): void {
  program
    .command('run')
    .description('play scenarios and judge them; those of the set `default` when none is named')
    .argument('[scenario...]', 'scenario files')
    .option('--set <name>', `which of the package's scenarios to play: ${SETS.join(', ')}`, oneOf(...SETS), 'default')
    .option('--repeat <n>', 'play each so often; the objective is judged on the worst', wholeNumber(1), 1)
    .option('--seed <n>', "for everything that chance decides; by default the scenario's, else a new one", wholeNumber(0))
    .option('--reports <dir>', 'where each run gets its folder', DEFAULT_REPORTS)
    .option('--engine <file>', 'the engine under test, a program with our command line; ours by default')
    .option('--json', 'results as JSON on stdout', false)
    .addHelpText(
      'after',
      example('gameday run scenarios/region-isolation.yaml --repeat 3', 'gameday run --set failover', 'gameday run --json > results.json') +
        EXIT_CODES,
    )
    .action(async (scenarios: string[], options: RunFlags) => {
      end(await runScenarios({ ...options, scenarios, seed: options.seed, engine: options.engine }, standardOutput(options.json)));
    });
  program
    .command('list')
    .description('the scenarios that come with the package')
    .option('--json', 'as JSON', false)
    .addHelpText('after', example('gameday list'))
    .action(({ json }: { json: boolean }) => end(list(standardOutput(json), json)));
}

interface RunFlags {
  readonly set: ScenarioSet;
  readonly repeat: number;
  readonly seed?: number;
  readonly reports: string;
  readonly engine?: string;
  readonly json: boolean;
}

function addJudging(program: Command, end: (code: number) => void): void {
  program
    .command('judge')
    .description('judge a recorded run again, from its events.ndjson alone, and write its reports anew')
    .argument('<dir>', 'folder of a run')
    .option('--json', 'the result as JSON on stdout', false)
    .addHelpText('after', example('gameday judge reports/20261122T120000000Z-region-isolation') + EXIT_CODES)
    .action(async (folder: string, { json }: { json: boolean }) => {
      const output = standardOutput(json);
      const result = await judgeFolder(folder);
      if (json) output.json(result);
      else output.text(`${resultsTable([result], { color: output.color, columns: output.columns })}\n${result.verdict.reason}\n`);
      end(exitCode([result.verdict.outcome]));
    });
  program
    .command('report')
    .description('write the reports of a recorded run anew (report.html, summary.md, junit.xml, result.json); says where they are')
    .argument('<dir>', 'folder of a run')
    .option('--json', 'as JSON on stdout', false)
    .addHelpText('after', example('gameday report reports/20261122T120000000Z-region-isolation'))
    .action(async (folder: string, { json }: { json: boolean }) => {
      const output = standardOutput(json);
      const result = await judgeFolder(folder);
      if (json) output.json(shortResult({ folder, result }));
      else output.text(`${join(folder, 'report.html')}\n${join(folder, 'summary.md')}\n`);
      end(EXIT.pass);
    });
}

function addCalibrate(program: Command, end: (code: number) => void): void {
  program
    .command('calibrate')
    .description('known outages of 5 000 ms and 200 ms by a device of its own, against what the harness measures of them')
    .option('--n <count>', 'outages of each length', wholeNumber(1), 30)
    .option('--lanes <count>', 'devices at the same time', wholeNumber(1), 2)
    .option('--json', 'samples and verdict as JSON on stdout', false)
    .addHelpText('after', example('gameday calibrate', 'gameday calibrate --n 5') + EXIT_CODES)
    .action(async ({ n, lanes, json }: { n: number; lanes: number; json: boolean }) => {
      const output = standardOutput(json);
      const stop = new AbortController();
      const interrupt = (): void => stop.abort(new HarnessError('timeout', 'interrupted'));
      process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
      const {
        samples,
        verdict,
        text,
        exitCode: code,
      } = await runCalibration({
        n,
        lanes,
        signal: stop.signal,
        progress: (line) => output.progress(`${line}\n`),
      });
      if (json) output.json({ samples, verdict });
      else output.text(`${text}\n`);
      end(stop.signal.aborted ? EXIT.interrupted : code);
    });
}

function addLab(program: Command, end: (code: number) => void): void {
  const lab = program.command('lab').description('the local lab by hand');
  lab
    .command('up')
    .description('start the lab and give a shell in its operator pod, with ip, dig and coditect-dr at hand')
    .option('--replication <mode>', 'sync or async', oneOf('sync', 'async'), 'sync')
    .option('--policy <preset>', 'lab or production', oneOf('lab', 'production'), 'lab')
    .option('--reports <dir>', 'where the lab writes', DEFAULT_REPORTS)
    .option('--engine <file>', 'the engine to start; ours by default')
    .addHelpText('after', example('gameday lab up', "echo 'coditect-dr status' | gameday lab up"))
    .action(async (options: LabFlags) => {
      const { engine, ...rest } = options;
      if (!insideSandbox()) await refuseBadPlaces({ reports: rest.reports, engine });
      const write = (text: string): void => void process.stdout.write(text);
      end(await labUp({ ...rest, write, ...(engine === undefined ? {} : { engineMain: engine }) }));
    });
  program
    .command('doctor')
    .description('what this machine can do for a local lab, and how to mend what it cannot')
    .option('--json', 'as JSON', false)
    .addHelpText('after', example('gameday doctor'))
    .action(async ({ json }: { json: boolean }) => end(await doctor({ json, write: (text) => void process.stdout.write(text) })));
  const chaos = program.command('chaos').description('Chaos Mesh manifests, without starting anything');
  chaos
    .command('check')
    .description('decode manifests strictly; every problem with file:line:column')
    .argument('<manifest...>')
    .addHelpText('after', example('gameday chaos check chaos/*.yaml'))
    .action((files: string[]) => end(checkManifests(files, standardOutput(false))));
  chaos
    .command('explain')
    .description('what manifests would select in the lab, and what would be done')
    .argument('<manifest...>')
    .option('--seed <n>', 'for what chance decides', wholeNumber(0))
    .addHelpText('after', example('gameday chaos explain chaos/network-partition.yaml'))
    .action((files: string[], { seed }: { seed?: number }) => end(explainManifests(files, seed ?? anySeed(), standardOutput(false))));
}

interface LabFlags {
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly reports: string;
  readonly engine?: string | undefined;
}

interface PlayFlags {
  readonly runFolder: string;
  readonly seed: number;
  readonly engine?: string;
  readonly variant?: string;
  readonly liveOnStderr: boolean;
}

/** What `run` starts inside each sandbox; of no use outside. */
function addPlay(program: Command, end: (code: number) => void): void {
  program
    .command('play', { hidden: true })
    .argument('<scenario>')
    .requiredOption('--run-folder <dir>')
    .requiredOption('--seed <n>', '', wholeNumber(0))
    .option('--engine <file>')
    .option('--variant <value>')
    .option('--live-on-stderr', '', false)
    .action(async (file: string, options: PlayFlags) => {
      if (!insideSandbox()) throw new HarnessError('bad-input', 'play is what `gameday run` starts inside its sandbox; use `gameday run`');
      const loaded = load([file]).find(({ variant }) => variant === (options.variant ?? null));
      if (loaded === undefined) throw new HarnessError('internal', `${file}: no scenario`);
      const live = options.liveOnStderr ? process.stderr : process.stdout;
      end(await play({ loaded, runFolder: options.runFolder, seed: options.seed, engine: options.engine, live }));
    });
}

function list(output: Output, json: boolean): number {
  const loaded = load(packagedScenarios()).map(({ file, variant, scenario }) => {
    const { name, sets, question } = scenario;
    return { file, variant, name, sets, question };
  });
  if (json) output.json(loaded);
  else
    output.text(`${loaded.map(({ file, name, sets, question }) => `${file} (${name}; ${sets.join(', ')})\n    ${question}`).join('\n')}\n`);
  return EXIT.pass;
}

const example = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) throw new InvalidArgumentError(`must be a whole number of at least ${least}.`);
    return value;
  };
}

function oneOf(...allowed: readonly string[]): (text: string) => string {
  return (text) => {
    if (!allowed.includes(text)) throw new InvalidArgumentError(`must be one of ${allowed.join(', ')}.`);
    return text;
  };
}

function describeBug(error: unknown): string {
  return `This is a bug of gameday: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
