import { getSystemErrorMessage } from 'node:util';
import { Command, CommanderError, Option } from 'commander';
import { describeBackupCommands } from './cli-backup.ts';
import { refuseRepeated } from './cli-options.ts';
import { describeOperations } from './cli-operations.ts';
import { describeSimulation } from './cli-simulation.ts';
import { EXIT, type World } from './commands/world.ts';
import type { LoadedConfig } from './config/load.ts';
import { EngineError } from './platform/errors.ts';

const MAX_CAUSES = 8;

/** Reads argv (without node and script), does what it says, gives the exit code. Never throws. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  let code: number = EXIT.ok;
  const program = describeCommands(world, (result) => (code = result));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    if (world.signal.aborted) {
      world.err(`interrupted${interruption(world.signal, error)} before it was done: the same command may be run again\n`);
      return EXIT.interrupted;
    }
    world.err(`${messageOf(error)}\n`);
    const badInput = error instanceof EngineError && ['bad-config', 'bad-request'].includes(error.code);
    return badInput ? EXIT.badInput : EXIT.failed;
  }
}

/** What runs until it is told to stop. Each loads only its own part of the engine. */
const PROGRAMS: readonly { name: string; says: string; start: (loaded: LoadedConfig, signal: AbortSignal) => Promise<void> }[] = [
  {
    name: 'database',
    says: "run this region's database: primary or standby",
    start: async (loaded, signal) => (await import('./server/start.ts')).startDatabase(loaded, signal),
  },
  {
    name: 'api',
    says: 'run the reference service in front of this region: health and key-value requests',
    start: async (loaded, signal) => (await import('./api/start.ts')).startApi(loaded, signal),
  },
  {
    name: 'backup-service',
    says: 'make a backup of the database beside it whenever one is due, where no other region does',
    start: async (loaded, signal) => (await import('./backup/service/start.ts')).startBackupService(loaded, signal),
  },
];

function describeCommands(world: World, done: (code: number) => void): Command {
  const program = new Command('coditect-dr')
    .description('Keeps a multi-region system alive: one primary, fenced by an epoch, and a failover that finishes.')
    .exitOverride()
    .configureOutput({ writeOut: world.out, writeErr: world.err })
    .showHelpAfterError('(--help tells more)');
  const config = new Option('--config <file>', 'the engine configuration')
    .default(world.environment['CODITECT_DR_CONFIG'] ?? 'config.yaml')
    .makeOptionMandatory();
  const load = async (file: string) => (await import('./config/load.ts')).loadConfig(file, configEnvironment(world.environment));

  for (const { name, says, start } of PROGRAMS) {
    program
      .command(name)
      .description(says)
      .addOption(config)
      .addHelpText('after', example(`coditect-dr ${name} --config /etc/coditect-dr/config.yaml`))
      .action(async (options: { config: string }) => await start(await load(options.config), world.signal));
  }
  program
    .command('controller')
    .description("run this region's controller: observe, vote, and fail over where it leads")
    .addOption(config)
    .addOption(
      new Option(
        '--platform <platform>',
        'kubernetes: of several pods of the region a Lease elects the active one, which also sizes its Deployments',
      )
        .choices(['local', 'kubernetes'])
        .default('local'),
    )
    .addHelpText('after', example('coditect-dr controller --config /etc/coditect-dr/config.yaml'))
    .action(async (options: { config: string; platform: 'local' | 'kubernetes' }) => {
      const loaded = await load(options.config);
      if (options.platform === 'kubernetes') await (await import('./kubernetes/start.ts')).startKubernetesController(loaded, world.signal);
      else await (await import('./failover/start.ts')).startController(loaded, world.signal);
    });
  program
    .command('status')
    .description('show what controllers and databases say of themselves; exits 0 Normal, 1 not, 3 nobody answers')
    .addOption(config)
    .option('--json', 'one JSON document')
    .addHelpText('after', example('coditect-dr status --json'))
    .action(async (options: { config: string; json?: true }) => {
      const loaded = await load(options.config);
      done(await (await import('./commands/status.ts')).showStatus(loaded, options.json === true, world));
    });
  describeOperations(program, { world, config, load, done });
  describeBackupCommands({ program, world, configOption: config, load, done });
  describeSimulation(program, world, done);
  for (const command of program.commands) command.copyInheritedSettings(program);
  refuseRepeated(program);
  return program;
}

/** `CODITECT_DR_CONFIG` names the file; it is no setting in it. */
function configEnvironment(environment: World['environment']): World['environment'] {
  const { CODITECT_DR_CONFIG: _file, ...settings } = environment;
  return settings;
}

function messageOf(error: unknown): string {
  return error instanceof EngineError
    ? `${error.code}: ${error.message}${systemReason(error)}`
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
}

/** By whom; and what else was thrown than that: something may have failed just then. */
function interruption({ reason }: AbortSignal, error: unknown): string {
  const by = reason instanceof Error ? reason.message : String(reason);
  const isOnlyThat = error === reason || (error instanceof Error && (error.name === 'AbortError' || error.cause === reason));
  return isOnlyThat ? ` (${by})` : ` (${by}; ${messageOf(error).split('\n', 1)[0]})`;
}

/** Why the system refused: whoever wanted something of it names the thing, and the reason is further down. */
function systemReason(error: Error): string {
  let cause = error.cause;
  for (let depth = 0; cause instanceof Error && depth < MAX_CAUSES; depth++, cause = cause.cause) {
    const { errno } = cause as NodeJS.ErrnoException;
    if (typeof errno === 'number' && errno < 0) return ` (${getSystemErrorMessage(errno)})`;
  }
  return '';
}

function example(line: string): string {
  return `\nExample:\n  ${line}`;
}
