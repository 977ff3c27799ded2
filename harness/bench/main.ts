import { existsSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { runCalibration } from '../commands/calibrate.ts';
import { EXIT, HarnessError } from '../platform/errors.ts';
import {
  askedScenarios,
  FAILOVERS,
  FAILOVER_SCENARIOS,
  playFailovers,
  policyExpectation,
  unaskedScenarios,
  type Course,
} from './failover.ts';
import { failoverTable, failoverVerdict, type Asked } from './failover-table.ts';
import { embeddedRuns, embeddedTable, foundationdbTable, inTwoRegions, onEmbedded, ON_FOUNDATIONDB, ON_PAIRS } from './foundationdb.ts';
import { runGamedayProgram } from './gameday-cli.ts';
import { playSideBySide } from './kubernetes.ts';
import { compare, compares, kubernetesTable } from './kubernetes-table.ts';
import { knownBadHolds, knownBadTable, playKnownBad } from './known-bad.ts';
import { nullRuns, nullTable, nullVerdict } from './null-runs.ts';
import { publish } from './publish.ts';
import { recoveryHolds, recoveryStatistics, recoveryTable } from './recovery.ts';
import { simulation, simulationHolds, simulationTable } from './simulate.ts';
import { refuseRepeated, wholeNumber } from '../cli-options.ts';
import { soak, soakHolds, soakText } from './soak.ts';

/** `./scripts/bench`: the statistical runs. Exit codes as `gameday`. A signal that comes once more is the same wish: `timeout` gives it to the process and to its group. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const tell = (text: string): void => void process.stdout.write(`${text}\n`);

const positive = wholeNumber(1);

const scenarioNames =
  (all: readonly string[]) =>
  (text: string): readonly string[] => {
    const names = text.split(',');
    const unknown = names.find((name) => !all.includes(name));
    if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is none of ${all.join(', ')}.`);
    return names;
  };

function scenarioFile(text: string): string {
  if (!existsSync(text)) throw new InvalidArgumentError(`${text} is not there.`);
  return text;
}

interface InPieces {
  readonly repeat: number;
  readonly resume?: true;
  readonly minutes?: number;
}

type Chosen = InPieces & { readonly scenarios: readonly string[] };

/** To be called when all is played: what broke off counts. */
function askedOf({ repeat, scenarios: only }: Chosen, course: Course): Asked {
  const brokenOff = course.kept.brokenOff();
  return { scenarios: askedScenarios(only, course), repeat, brokenOff, unasked: unaskedScenarios(only, course) };
}

const program = new Command('bench').exitOverride();

/** Of a bench that keeps every run, so that several calls may play it. */
function inPieces(command: Command): Command {
  return command
    .option('--resume', 'go on where an earlier call ended, which kept every run')
    .option('--minutes <count>', 'begin no run after so long; --resume goes on', positive);
}

program
  .command('calibrate')
  .description('known outages of 5 000 ms and 200 ms, and what the harness measures of them')
  .option('--n <count>', 'outages of each length', positive, 30)
  .option('--lanes <count>', 'devices at the same time', positive, 2)
  .action(async (options: { readonly n: number; readonly lanes: number }) => {
    const { samples, verdict, text, exitCode } = await runCalibration({ ...options, signal: interrupted.signal, progress: say });
    tell(text);
    say(`written: ${await publish('calibrate', { verdict, samples }, `\`\`\`\n${text}\n\`\`\``)}.md and .json`);
    process.exitCode = exitCode;
  });
program
  .command('recovery')
  .description('region-isolation so often: median, p95 and max of the recovery time, and where it went')
  .option('--repeat <count>', 'runs', positive, 10)
  .option('--scenario <file>', 'another scenario', scenarioFile, 'scenarios/region-isolation.yaml')
  .action(async ({ repeat, scenario }: { readonly repeat: number; readonly scenario: string }) => {
    const results = await runGamedayProgram([scenario, '--repeat', String(repeat)], interrupted);
    const statistics = recoveryStatistics(results);
    const table = recoveryTable(statistics);
    tell(table);
    const samples = results.map(({ runId, verdict, recovery, faults }) => ({ runId, verdict, recovery, faults }));
    say(`written: ${await publish('recovery', { scenario, statistics, samples }, table)}.md and .json`);
    process.exitCode = recoveryHolds(statistics, repeat) ? EXIT.pass : EXIT.fail;
  });
program
  .command('null')
  .description('the scenario in which nothing is broken, so often: none may fail')
  .option('--repeat <count>', 'runs', positive, 20)
  .action(async ({ repeat }: { readonly repeat: number }) => {
    const args = ['scenarios/null.yaml', '--repeat', String(repeat)];
    const runs = nullRuns(repeat, await runGamedayProgram(args, { signal: interrupted.signal, evenIfAborted: true }));
    const table = nullTable(runs);
    tell(table);
    say(`written: ${await publish('null', runs, table)}.md and .json`);
    process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : EXIT[nullVerdict(runs)];
  });
program
  .command('known-bad')
  .description('engines that each break one sentence of the contract, each caught by the check meant for it; the correct one passes')
  .action(async () => {
    const runs = await playKnownBad(interrupted.signal, say);
    const table = knownBadTable(runs);
    tell(table);
    say(`written: ${await publish('known-bad', { runs }, table)}.md and .json`);
    process.exitCode = knownBadHolds(runs) ? EXIT.pass : EXIT.fail;
  });
inPieces(
  program
    .command('failover')
    .description('every scenario of a failover so often: promises kept, where the recovery time went, pauses of planned moves')
    .option('--repeat <count>', 'runs of each', positive, 5)
    .option('--scenarios <names>', `only these: ${FAILOVER_SCENARIOS.join(',')}`, scenarioNames(FAILOVER_SCENARIOS), []),
).action(async (options: Chosen) => {
  const { repeat, scenarios: only, resume = false, minutes = null } = options;
  const runs = await playFailovers({ repeat, only, resume, minutes, say, signal: interrupted.signal });
  const expectations = [
    await policyExpectation('lab', 1, interrupted.signal),
    await policyExpectation('production', 30, interrupted.signal),
  ];
  const asked = askedOf(options, FAILOVERS);
  const table = failoverTable(runs, expectations, asked);
  tell(table);
  say(`written: ${await publish('failover', { runs, expectations }, table)}.md and .json`);
  process.exitCode = EXIT[failoverVerdict(runs, asked)];
});
inPieces(
  program
    .command('foundationdb')
    .description('the scenarios of the set foundationdb on real fdbservers, beside what the embedded database was measured with')
    .option('--repeat <count>', 'runs of each', positive, 5)
    .option('--scenarios <names>', 'some of them: a,b', scenarioNames([...ON_FOUNDATIONDB.names, ...ON_PAIRS.names]), [])
    .option('--two-regions', 'on two regions and a satellite, instead of three_datacenter')
    .addOption(new Option('--pair', 'on a pair of clusters: scenarios of their own').conflicts('twoRegions'))
    .addOption(new Option('--embedded', 'on the embedded database: what all are put beside').conflicts(['twoRegions', 'pair'])),
).action(async (options: Chosen & { readonly twoRegions?: true; readonly pair?: true; readonly embedded?: true }) => {
  const { repeat, scenarios: only, resume = false, minutes = null, twoRegions, pair, embedded } = options;
  const [course, option] = twoRegions
    ? [inTwoRegions(), ' --two-regions']
    : pair
      ? [ON_PAIRS, ' --pair']
      : embedded
        ? [onEmbedded(), ' --embedded']
        : [ON_FOUNDATIONDB, ''];
  const notThere = only.find((one) => !course.names.includes(one));
  if (notThere !== undefined)
    program.error(`error: ${notThere} is none of those that \`foundationdb${option}\` plays: ${course.names.join(', ')}`);
  const runs = await playFailovers({ repeat, only, resume, minutes, say, signal: interrupted.signal }, course);
  const asked = askedOf(options, course);
  const table = embedded ? embeddedTable(runs, asked) : foundationdbTable(runs, embeddedRuns(), asked);
  tell(table);
  say(`written: ${await publish(course.bench, { runs }, table, `foundationdb${option}`)}.md and .json`);
  process.exitCode = EXIT[failoverVerdict(runs, asked)];
});
program
  .command('soak')
  .description('nothing is broken and every CPU is busy: no failover, no self-fence')
  .option('--minutes <count>', 'how long', positive, 30)
  .option('--spinners <count>', 'busy processes; 0 where something else keeps the CPUs busy', wholeNumber(0), 2)
  .action(async ({ minutes, spinners }: { readonly minutes: number; readonly spinners: number }) => {
    const result = await soak(minutes, spinners, interrupted.signal);
    const text = soakText(result);
    tell(text);
    say(`written: ${await publish('soak', result, text)}.md and .json`);
    process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : soakHolds(result) ? EXIT.pass : EXIT.fail;
  });
program
  .command('simulate')
  .description("the engine's simulator: so many seeds without a broken promise, and every wrong machine found")
  .option('--seeds <count>', 'worlds', positive, 10_000)
  .option('--proof-seeds <count>', 'worlds for each wrong machine, at most', positive, 1000)
  .action(async ({ seeds, proofSeeds }: { readonly seeds: number; readonly proofSeeds: number }) => {
    const figures = await simulation(seeds, proofSeeds, interrupted.signal);
    const table = simulationTable(figures);
    tell(table);
    say(`written: ${await publish('simulate', figures, table)}.md and .json`);
    process.exitCode = simulationHolds(figures) ? EXIT.pass : EXIT.fail;
  });
inPieces(
  program
    .command('kubernetes')
    .description('the same scenarios on the local platform and on a cluster without containers, in turns: verdicts and recovery times')
    .option('--repeat <count>', 'runs of each scenario on each platform', positive, 5),
).action(async (options: InPieces) => {
  const { repeat, resume = false, minutes = null } = options;
  const { runs, brokenOff } = await playSideBySide({ repeat, resume, minutes, say, signal: interrupted.signal });
  const compared = compare(runs);
  const table = kubernetesTable(compared, brokenOff);
  tell(table);
  say(`written: ${await publish('kubernetes', { compared, runs }, table)}.md and .json`);
  process.exitCode = interrupted.signal.aborted
    ? EXIT.interrupted
    : compares(compared, repeat) && brokenOff.length === 0
      ? EXIT.pass
      : EXIT.fail;
});

refuseRepeated(program);
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.pass : EXIT.badInput;
  else {
    say(error instanceof Error ? error.message : String(error));
    const isBadInput = error instanceof HarnessError && error.code === 'bad-input';
    process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : isBadInput ? EXIT.badInput : EXIT.inconclusive;
  }
}
