import { Command, CommanderError } from 'commander';
import { addJudging } from './cli-judge.ts';
import { addLab } from './cli-lab.ts';
import { databaseOption, example, EXIT_CODES, MOST, oneOf, refuseRepeated, wholeNumber } from './cli-options.ts';
import { runCalibration } from './commands/calibrate.ts';
import { standardOutput, type Output } from './commands/output.ts';
import { DEFAULT_REPORTS, packagedScenarios } from './commands/places.ts';
import { ASKED_DATABASES, SETS, type AskedDatabase, type ScenarioSet } from './scenario/scenario.ts';
import { play } from './commands/play.ts';
import { runScenarios } from './commands/run.ts';
import { load, loadForSystem } from './commands/scenarios.ts';
import { clientsThere } from './commands/system.ts';
import { EXIT, HarnessError } from './platform/errors.ts';
import { insideSandbox } from './platform/local/sandbox.ts';

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
  refuseRepeated(program);
  return program;
}

function addRun(program: Command, end: (code: number) => void): void {
  program
    .command('run')
    .description('play scenarios and judge them; those of the set `default` when none is named')
    .argument('[scenario...]', 'scenario files')
    .option('--set <name>', `which of the package's scenarios to play: ${SETS.join(', ')} (default: "default")`, oneOf(...SETS))
    .option('--repeat <n>', 'play each so often; the objective is judged on the worst', wholeNumber(1, MOST), 1)
    .option('--seed <n>', "for everything that chance decides; by default the scenario's, else a new one", wholeNumber(0))
    .option('--reports <dir>', 'where each run gets its folder', DEFAULT_REPORTS)
    .option('--engine <file>', 'the engine under test, a program with our command line; ours by default')
    .option('--json', 'results as JSON on stdout', false)
    .option('--platform <name>', 'local or kubernetes, instead of what the scenario says', oneOf('local', 'kubernetes'))
    .addOption(databaseOption())
    .option(
      '--system <file>',
      'a system that is there already: clusters and what of them may be touched (docs/kubernetes.md), or addresses (docs/scenarios.md)',
    )
    .addHelpText(
      'after',
      example(
        'gameday run scenarios/region-isolation.yaml --repeat 3',
        'gameday run --set failover',
        'gameday run --set foundationdb',
        'gameday run --json > results.json',
      ) + EXIT_CODES,
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
  readonly set?: ScenarioSet;
  readonly repeat: number;
  readonly seed?: number;
  readonly reports: string;
  readonly engine?: string;
  readonly platform?: 'local' | 'kubernetes';
  readonly database?: AskedDatabase;
  readonly system?: string;
  readonly json: boolean;
}

/** More would measure how busy they make the machine. */
const MOST_LANES = 64;

function addCalibrate(program: Command, end: (code: number) => void): void {
  program
    .command('calibrate')
    .description('known outages of 5 000 ms and 200 ms by a device of its own, against what the harness measures of them')
    .option('--n <count>', 'outages of each length', wholeNumber(1, MOST), 30)
    .option('--lanes <count>', 'devices at the same time', wholeNumber(1, MOST_LANES), 2)
    .option('--json', 'samples and verdict as JSON on stdout', false)
    .addHelpText('after', example('gameday calibrate', 'gameday calibrate --n 5') + EXIT_CODES)
    .action(async ({ n, lanes, json }: { n: number; lanes: number; json: boolean }) => {
      const output = standardOutput(json);
      const stop = new AbortController();
      const interrupt = (): void => stop.abort(new HarnessError('timeout', 'interrupted'));
      // Once more is the same wish: `timeout` gives it to the process and to its group.
      process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
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

interface PlayFlags {
  readonly runFolder: string;
  readonly seed: number;
  readonly engine?: string;
  readonly variant?: string;
  readonly platform: 'local' | 'kubernetes';
  readonly database?: AskedDatabase;
  readonly system?: string;
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
    .option('--platform <name>', '', oneOf('local', 'kubernetes'), 'local')
    .option('--database <name>', '', oneOf(...ASKED_DATABASES))
    .option('--system <file>')
    .action(async (file: string, options: PlayFlags) => {
      if (options.system === undefined && !insideSandbox())
        throw new HarnessError('bad-input', 'play is what `gameday run` starts inside its sandbox; use `gameday run`');
      const { system, database } = options;
      const all = system === undefined ? load([file], database) : loadForSystem([file], database, clientsThere(system));
      const loaded = all.find(({ variant }) => variant === (options.variant ?? null));
      if (loaded === undefined) throw new HarnessError('internal', `${file}: no scenario`);
      const live = options.liveOnStderr ? process.stderr : process.stdout;
      const { runFolder, seed, engine, platform, system: systemFile } = options;
      end(await play({ loaded, runFolder, seed, engine, live, platform, systemFile }));
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

function describeBug(error: unknown): string {
  return `This is a bug of gameday: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
