import type { Command } from 'commander';
import { example, oneOf, wholeNumber } from './cli-options.ts';
import { checkManifests, explainManifests } from './commands/chaos.ts';
import { standardOutput } from './commands/output.ts';
import { DEFAULT_REPORTS } from './commands/places.ts';
import { anySeed } from './commands/play.ts';
import { refuseBadPlaces } from './commands/run-input.ts';
import { doctor } from './platform/local/doctor.ts';
import { labUp } from './platform/local/lab-up.ts';
import { insideSandbox } from './platform/local/sandbox.ts';

/** The lab by hand, what machine and clusters can do, manifests. */
export function addLab(program: Command, end: (code: number) => void): void {
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
}

interface LabFlags {
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly reports: string;
  readonly engine?: string | undefined;
}
