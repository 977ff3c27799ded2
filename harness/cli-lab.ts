import type { Command } from 'commander';
import { example, oneOf, wholeNumber } from './cli-options.ts';
import { checkManifests, explainManifests } from './commands/chaos.ts';
import { examine } from './commands/doctor.ts';
import { healSystem } from './commands/heal.ts';
import { standardOutput } from './commands/output.ts';
import { DEFAULT_REPORTS } from './commands/places.ts';
import { anySeed } from './commands/play.ts';
import { refuseBadPlaces } from './commands/run-input.ts';
import { clusterUp } from './platform/kubernetes/containerless/cluster-up.ts';
import { HarnessError } from './platform/errors.ts';
import { labUp } from './platform/local/lab-up.ts';
import { DATABASES, type LabDatabase } from './scenario/scenario.ts';
import { insideSandbox } from './platform/local/sandbox.ts';

/** The lab by hand, what machine and clusters can do, manifests. */
export function addLab(program: Command, end: (code: number) => void): void {
  const lab = program.command('lab').description('the local lab by hand');
  lab
    .command('up')
    .description('start the lab and give a shell in its operator pod, with ip, dig and coditect-dr at hand')
    .option('--replication <mode>', 'sync or async', oneOf('sync', 'async'), 'sync')
    .option('--policy <preset>', 'lab or production', oneOf('lab', 'production'), 'lab')
    .option(
      '--database <name>',
      `${DATABASES.join(' or ')}, three regions of servers and their fdbcli in the shell`,
      oneOf(...DATABASES),
      'embedded',
    )
    .option('--reports <dir>', 'where the lab writes', DEFAULT_REPORTS)
    .option('--engine <file>', 'the engine to start; ours by default')
    .option('--kubernetes', 'as pods of a real control plane without containers; the shell has KUBECONFIG and GAMEDAY_SYSTEM')
    .addHelpText('after', example('gameday lab up', "echo 'coditect-dr status' | gameday lab up"))
    .action(async (options: LabFlags) => {
      const { engine, kubernetes, ...rest } = options;
      if (!insideSandbox()) await refuseBadPlaces({ reports: rest.reports, engine });
      if (kubernetes === true && rest.database === 'foundationdb')
        throw new HarnessError('bad-input', '--database foundationdb: is started in local labs only, not with --kubernetes');
      if (rest.replication === 'async' && rest.database === 'foundationdb')
        throw new HarnessError('bad-input', '--replication async: FoundationDB replicates by itself, before it acknowledges; leave it out');
      const write = (text: string): void => void process.stdout.write(text);
      const start = kubernetes === true ? clusterUp : labUp;
      end(await start({ ...rest, write, ...(engine === undefined ? {} : { engineMain: engine }) }));
    });
  addDoctor(program, end);
  const chaos = program.command('chaos').description('Chaos Mesh manifests');
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
  addHeal(chaos, end);
}

function addDoctor(program: Command, end: (code: number) => void): void {
  program
    .command('doctor')
    .description('what this machine can do for a local lab, or a system that is there for a game day, and how to mend what they cannot')
    .option('--json', 'as JSON', false)
    .option('--platform <name>', 'local or kubernetes', oneOf('local', 'kubernetes'), 'local')
    .option('--system <file>', 'clusters, and what of them may be touched, or a service by its URLs (docs/kubernetes.md)')
    .option('--manifest <file...>', 'Chaos Mesh manifests whose selectors must match something there')
    .addHelpText('after', example('gameday doctor', 'gameday doctor --system system.yaml'))
    .action(async ({ manifest = [], platform, system, json }: DoctorFlags) => {
      const out = { json, write: (text: string): void => void process.stdout.write(text) };
      end(await examine({ platform, system, manifests: manifest }, out));
    });
}

function addHeal(chaos: Command, end: (code: number) => void): void {
  chaos
    .command('heal')
    .description('take back what game days have left in clusters, after a crash of whoever played them')
    .option('--platform <name>', 'only kubernetes: a local lab is gone with whoever played on it', oneOf('kubernetes'), 'kubernetes')
    .requiredOption('--system <file>', 'the clusters, and what of them may be touched (docs/kubernetes.md)')
    .option('--reports <dir>', 'where the undo journals of the runs are', DEFAULT_REPORTS)
    .addHelpText('after', example('gameday chaos heal --platform kubernetes --system system.yaml'))
    .action(async (options: { system: string; reports: string }) => end(await healSystem(options, standardOutput(false))));
}

interface DoctorFlags {
  readonly json: boolean;
  readonly platform: 'local' | 'kubernetes';
  readonly system?: string;
  readonly manifest?: readonly string[];
}

interface LabFlags {
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly database: LabDatabase;
  readonly reports: string;
  readonly engine?: string | undefined;
  readonly kubernetes?: boolean;
}
