import type { Command, Option } from 'commander';
import { anyLossOption, copyingPatienceOption, fdbcliOption, OUTCOMES, type Tools } from './cli-options.ts';

interface Given {
  readonly config: string;
  readonly json?: true;
  readonly by?: string;
  readonly dryRun?: true;
  readonly patience: number;
  readonly fdbcli: string;
  readonly acceptDataLoss?: 'any';
}

const CHANGES = {
  add: 'give a region that has come back the data again; it takes over when the other one is lost',
  prefer: 'make a region the one where the database is; nothing is lost',
  drop: 'let the database go on without a region: one that is lost, or is to be taken away',
} as const;

/** `coditect-dr region …`: the two regions of a FoundationDB cluster. */
export function describeRegionChanges(
  program: Command,
  options: { readonly by: Option; readonly dryRun: Option },
  { config: configOption, world, load, done }: Tools,
): void {
  const group = program.command('region').description('FoundationDB in two regions: add one again, prefer one, drop one');
  for (const [kind, says] of Object.entries(CHANGES)) {
    const command = group
      .command(kind)
      .description(`${says}; ${OUTCOMES}`)
      .argument('<region>', 'as the configuration names it')
      .addOption(configOption)
      .option('--json', 'for programs')
      .addOption(copyingPatienceOption())
      .addOption(fdbcliOption())
      .addOption(options.by)
      .addOption(options.dryRun)
      .addHelpText('after', `\nExample:\n  coditect-dr region ${kind} us-central1 --dry-run`)
      .action(async (region: string, { config, json, by, dryRun, patience, fdbcli, acceptDataLoss }: Given) => {
        const order = {
          kind: kind as keyof typeof CHANGES,
          region,
          acceptLoss: acceptDataLoss === 'any',
          patienceMs: patience,
          fdbcli,
          dryRun: dryRun === true,
          by: by ?? 'operator',
        };
        const { orderRegionChange } = await import('./commands/change-region.ts');
        done(await orderRegionChange(await load(config), order, { ...world, json: json === true }));
      });
    if (kind === 'drop')
      command.addOption(anyLossOption('the consent to lose what only the dropped region had: "any"; asked for where that one is lost'));
  }
}
