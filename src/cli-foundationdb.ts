import type { Command, Option } from 'commander';
import { copyingPatienceOption, fdbcliOption, OUTCOMES, type Tools } from './cli-options.ts';

interface Given {
  readonly config: string;
  readonly json?: true;
  readonly by?: string;
  readonly dryRun?: true;
  readonly new?: true;
  readonly withoutPause?: true;
  readonly patience: number;
  readonly fdbcli: string;
}

/** `coditect-dr foundationdb …`: the cluster of FoundationDB that all regions share. */
export function describeFoundationdb(
  program: Command,
  options: { readonly by: Option; readonly dryRun: Option },
  { config: configOption, world, load, done }: Tools,
): void {
  const group = program.command('foundationdb').description('the cluster of FoundationDB that all regions share');
  group
    .command('set-up')
    .description(`bring it into a layout: database, coordinators, copies; changes nothing where all is so; ${OUTCOMES}`)
    .argument('<layout>', 'three_datacenter, or a file such as deploy/foundationdb/regions.json')
    .addOption(configOption)
    .option('--json', 'for programs')
    .option('--new', 'make the database where the coordinators know of none')
    .option('--without-pause', 'no engine of this system runs yet, so that nobody could fail over meanwhile')
    .addOption(copyingPatienceOption())
    .addOption(fdbcliOption())
    .addOption(options.by)
    .addOption(options.dryRun)
    .addHelpText('after', '\nExample:\n  coditect-dr foundationdb set-up three_datacenter --new --without-pause --dry-run')
    .action(async (layout: string, { config, json, by, dryRun, patience, fdbcli, ...given }: Given) => {
      const order = {
        layout,
        isNew: given.new === true,
        withoutPause: given.withoutPause === true,
        patienceMs: patience,
        fdbcli,
        dryRun: dryRun === true,
        by: by ?? 'operator',
      };
      const { setUpFoundationdb } = await import('./commands/set-up-foundationdb.ts');
      done(await setUpFoundationdb(await load(config), order, { ...world, json: json === true }));
    });
}
