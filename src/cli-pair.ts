import { Option, type Command } from 'commander';
import { lossOption, OUTCOMES, parseDuration, type Tools } from './cli-options.ts';
import { parsePatience } from './cli-recovery.ts';
import type { PairOrder } from './commands/change-pair.ts';

/** Data of a large database is copied for hours; the command may be given again. */
const START_MS = 3_600_000;
const SWITCH_MS = 300_000;
/** The primary must have been out for so long without a break. */
const OUTAGE_MS = 60_000;
/** How much longer than that an abort goes on looking. */
const ABORT_MS = 300_000;

interface Given {
  readonly config: string;
  readonly json?: true;
  readonly by?: string;
  readonly dryRun?: true;
  readonly erase?: string;
  readonly patience: number;
  readonly fdbcli?: string;
  readonly fdbdr?: string;
  readonly acceptDataLoss?: number | 'any';
}

const CHANGES = {
  start: 'make a cluster the copy of the other one',
  switch: 'let the copy take over, nothing is lost; the other one becomes the copy',
  abort: 'let the copy go on alone where the primary is lost; what it has not got is lost',
} as const;
const HOW_LONG = 'how long it may take; after that the same command goes on';
const PATIENCE = {
  start: { ms: START_MS, text: '1h', says: HOW_LONG, parse: parseDuration },
  switch: { ms: SWITCH_MS, text: '5m', says: HOW_LONG, parse: parseDuration },
  abort: {
    ms: OUTAGE_MS,
    text: '60s',
    says: 'the primary must have been out for so long without a break; 30s to 30m',
    parse: parsePatience,
  },
};

/** `coditect-dr pair …`: two FoundationDB clusters, one kept as a copy of the other by fdbdr. */
export function describePair(program: Command, options: { readonly by: Option; readonly dryRun: Option }, tools: Tools): void {
  const { config: configOption, world, load, done } = tools;
  const group = program
    .command('pair')
    .description('two FoundationDB clusters, one a copy of the other by fdbdr: how they are; start, switch, abort, difference');
  const withPrograms = (command: Command): Command =>
    command
      .addOption(configOption)
      .option('--json', 'for programs')
      .option(
        '--fdbcli <file>',
        "FoundationDB's own program, of the clusters' version (default: that of database.pair_programs, or fdbcli)",
      )
      .option('--fdbdr <file>', 'its program for copies, as well');
  withPrograms(group.command('status'))
    .description('which is the primary, which the copy, how far that is behind; exits 0 fresh, 1 not, 3 not known')
    .addHelpText('after', '\nExample:\n  coditect-dr pair status --json')
    .action(async ({ config, json, ...programs }: Given) => {
      const { showPair } = await import('./commands/pair-status.ts');
      done(await showPair(await load(config), programs, { ...world, json: json === true }));
    });
  withPrograms(group.command('difference'))
    .description('save what the two do not have in common, before one of them is erased: a JSON line a key, with its value in either')
    .argument('<cluster>', 'whose values come first, as database.pair names it')
    .requiredOption('--out <file>', 'a file that is not there yet')
    .addHelpText('after', '\nExample:\n  coditect-dr pair difference central --out=central-left.ndjson')
    .action(async (cluster: string, { config, json, out, ...programs }: Given & { readonly out: string }) => {
      const { savePairDifference } = await import('./commands/pair-difference.ts');
      done(await savePairDifference(await load(config), { cluster, out, programs }, { ...world, json: json === true }));
    });
  for (const kind of Object.keys(CHANGES) as (keyof typeof CHANGES)[]) {
    const command = withPrograms(group.command(kind))
      .description(`${CHANGES[kind]}; ${OUTCOMES}`)
      .argument('<cluster>', 'as database.pair names it')
      .addOption(
        new Option('--patience <duration>', PATIENCE[kind].says)
          .argParser(PATIENCE[kind].parse)
          .default(PATIENCE[kind].ms, PATIENCE[kind].text),
      )
      .addOption(options.by)
      .addOption(options.dryRun)
      .addHelpText('after', `\nExample:\n  coditect-dr pair ${kind} west${kind === 'abort' ? ' --accept-data-loss=30' : ''} --dry-run`)
      .action(async (cluster: string, given: Given) => {
        const { orderPairChange } = await import('./commands/change-pair.ts');
        done(await orderPairChange(await load(given.config), orderOf(kind, cluster, given), { ...world, json: given.json === true }));
      });
    if (kind === 'start') command.option('--erase <cluster>', 'its name again: what it has may be erased');
    if (kind === 'abort') command.addOption(lossOption().makeOptionMandatory());
  }
}

function orderOf(kind: PairOrder['kind'], cluster: string, given: Given): PairOrder {
  const { by, dryRun, erase, patience, acceptDataLoss } = given;
  return {
    kind,
    cluster,
    programs: given,
    erase: erase ?? null,
    acceptLossSeconds: acceptDataLoss ?? 0,
    patienceMs: kind === 'abort' ? ABORT_MS : patience,
    outageMs: kind === 'abort' ? patience : 0,
    dryRun: dryRun === true,
    by: by ?? 'operator',
  };
}
