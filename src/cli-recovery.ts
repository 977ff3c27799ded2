import { InvalidArgumentError, Option } from 'commander';
import { anyLossOption, fdbcliOption, OUTCOMES, parseDuration, type AddCommand, type Tools } from './cli-options.ts';

/** Twice as long as FoundationDB takes to fail over by itself (22 to 28 s, measured). */
const PATIENCE_MS = 60_000;
const LEAST_PATIENCE_MS = 30_000;
/** The pause that it works under must outlast it. */
const MOST_PATIENCE_MS = 30 * 60_000;

interface Given {
  readonly config: string;
  readonly json?: true;
  readonly by?: string;
  readonly dryRun?: true;
  readonly target: string;
  readonly giveUp?: readonly string[];
  readonly patience: number;
  readonly fdbcli: string;
}

/** What an operator does with FoundationDB where it cannot go on by itself. */
export function describeForcedRecovery(add: AddCommand, options: { readonly by: Option; readonly dryRun: Option }, tools: Tools): void {
  add(
    'force-recovery',
    `let FoundationDB in two regions go on in one alone, where it cannot by itself; what that one had not got is lost; ${OUTCOMES}`,
    'coditect-dr force-recovery --target=us-east1 --accept-data-loss=any --dry-run',
  )
    .requiredOption('--target <region>', 'the region that is to go on')
    .addOption(
      anyLossOption(
        'the consent to lose whatever the region has not got: "any", since nobody can tell how much that is',
      ).makeOptionMandatory(),
    )
    .option(
      '--give-up <regions>',
      'regions, such as the satellite, that are given up although something of theirs still answers: a,b',
      parseRegions,
    )
    .addOption(
      new Option(
        '--patience <duration>',
        'FoundationDB must have been out for so long without a break before it is forced: where it can, it fails over by itself (in up to 28 s); 30s to 30m',
      )
        .argParser(parsePatience)
        .default(PATIENCE_MS, '60s'),
    )
    .addOption(fdbcliOption())
    .addOption(options.by)
    .addOption(options.dryRun)
    .action(async ({ config, json, target, giveUp, patience, fdbcli, dryRun, by: who }: Given) => {
      const order = {
        target,
        giveUp: giveUp ?? [],
        patienceMs: patience,
        fdbcli,
        dryRun: dryRun === true,
        by: who ?? 'operator',
      };
      const { orderForcedRecovery } = await import('./commands/force-recovery.ts');
      tools.done(await orderForcedRecovery(await tools.load(config), order, { ...tools.world, json: json === true }));
    });
}

/** What has just begun to answer may not be in the status yet, and FoundationDB has to have had its time. */
export function parsePatience(text: string): number {
  const patienceMs = parseDuration(text);
  if (patienceMs < LEAST_PATIENCE_MS)
    throw new InvalidArgumentError(`${text} is too short: FoundationDB fails over by itself in up to 28 s; write 30s or more`);
  if (patienceMs > MOST_PATIENCE_MS) throw new InvalidArgumentError(`${text} is too long: write 30m or less`);
  return patienceMs;
}

function parseRegions(text: string): readonly string[] {
  const regions = text.split(',').map((region) => region.trim());
  if (regions.includes('')) throw new InvalidArgumentError('write for example europe-west1, or europe-west1,us-west1');
  return regions;
}
