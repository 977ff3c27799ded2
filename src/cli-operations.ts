import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Change } from './commands/maintenance.ts';
import type { Move } from './commands/move.ts';
import type { World } from './commands/world.ts';
import type { LoadedConfig } from './config/load.ts';
import { EngineError } from './platform/errors.ts';
import { byOption } from './cli-options.ts';

export interface Tools {
  readonly world: World;
  readonly config: Option;
  readonly load: (file: string) => Promise<LoadedConfig>;
  readonly done: (code: number) => void;
}

interface Given {
  readonly config: string;
  readonly json?: true;
  readonly by?: string;
  readonly target?: string;
  readonly force?: true;
  readonly acceptDataLoss?: number | 'any';
  readonly dryRun?: true;
  readonly why?: string;
  readonly for?: number;
}

const OUTCOMES = 'exits 0 done, 1 not done, 3 undecided when the time was over';

/** What an operator does with a running system. */
export function describeOperations(program: Command, tools: Tools): void {
  const by = byOption(tools.world.environment);
  const add = (name: string, says: string, example: string): Command =>
    program
      .command(name)
      .description(says)
      .addOption(tools.config)
      .option('--json', 'for programs')
      .addHelpText('after', `\nExample:\n  ${example}`);
  const loss = lossOption();
  const dryRun = new Option('--dry-run', 'only print every effect it would have');

  const switchover = add(
    'switchover',
    `plan: hand over to another region, nothing is lost, or it is undone; ${OUTCOMES}`,
    'coditect-dr switchover --target=us-east1',
  )
    .requiredOption('--target <region>', 'the region that is to be the primary')
    .addOption(by)
    .addOption(dryRun);
  const failback = add(
    'failback',
    `plan: hand over to the configured primary region once it is in sync and stable; ${OUTCOMES}`,
    'coditect-dr failback',
  )
    .addOption(by)
    .addOption(dryRun);
  const failover = add(
    'failover',
    `replace a primary that the observers see down; with --force any primary, and what may be lost has to be typed; ${OUTCOMES}`,
    'coditect-dr failover --target=us-east1\n  coditect-dr failover --target=us-east1 --force --accept-data-loss=2.5',
  )
    .requiredOption('--target <region>', 'the region that is to be the primary')
    .option('--force', 'overrule the observers; needs --accept-data-loss')
    .addOption(loss)
    .addOption(by)
    .addOption(dryRun);
  const approve = add(
    'approve',
    `let go on what waits in AWAIT_APPROVAL (status says for what); ${OUTCOMES}`,
    'coditect-dr approve --accept-data-loss=2.5',
  )
    .addOption(loss)
    .addOption(by);
  for (const [order, command] of Object.entries({ switchover, failback, failover, approve })) {
    command.action(async ({ config, json, acceptDataLoss, ...given }: Given) => {
      if (order === 'failover' && (given.force === true) !== (acceptDataLoss !== undefined))
        throw new EngineError('bad-request', '--force and --accept-data-loss belong together: the loss that is forced has to be typed');
      const { target, force, dryRun: rehearse, by: who } = given;
      const move = {
        order: order as Move['order'],
        by: who ?? 'operator',
        ...(target === undefined ? {} : { target }),
        ...(force === undefined ? {} : { force }),
        ...(rehearse === undefined ? {} : { dryRun: rehearse }),
        ...(acceptDataLoss === undefined ? {} : { acceptDataLossSeconds: acceptDataLoss }),
      };
      const { orderMove } = await import('./commands/move.ts');
      tools.done(await orderMove(await tools.load(config), move, { ...tools.world, json: json === true }));
    });
  }
  describeForcedRecovery(add('force-recovery', FORCE_SAYS, FORCE_EXAMPLE), { by, dryRun }, tools);
  describeMaintenance(add, by, tools);
}

const FORCE_SAYS = `let FoundationDB in two regions go on in one alone, where it cannot by itself; what that one had not got is lost; ${OUTCOMES}`;
const FORCE_EXAMPLE = 'coditect-dr force-recovery --target=us-east1 --accept-data-loss=any --dry-run';
/** Twice as long as FoundationDB takes to fail over by itself (22 to 28 s, measured). */
const PATIENCE_MS = 60_000;
const LEAST_PATIENCE_MS = 30_000;
/** The pause that it works under must outlast it. */
const MOST_PATIENCE_MS = 30 * 60_000;

interface GivenForce extends Given {
  readonly target: string;
  readonly giveUp?: readonly string[];
  readonly acceptDataLoss: number | 'any';
  readonly patience: number;
  readonly fdbcli: string;
}

function describeForcedRecovery(command: Command, options: { by: Option; dryRun: Option }, tools: Tools): void {
  const regions = (text: string): readonly string[] => text.split(',').map((region) => region.trim());
  command
    .requiredOption('--target <region>', 'the region that is to go on')
    .addOption(lossOption().makeOptionMandatory())
    .option('--give-up <regions>', 'regions of which something answers, and that are given up all the same: a,b', regions)
    .addOption(
      new Option('--patience <duration>', 'for so long it must have been seen out without a break; 30s to 30m')
        .argParser(parsePatience)
        .default(PATIENCE_MS, '60s'),
    )
    .option('--fdbcli <file>', "FoundationDB's own program, of the cluster's version", 'fdbcli')
    .addOption(options.by)
    .addOption(options.dryRun)
    .action(async ({ config, json, target, giveUp, acceptDataLoss, patience, fdbcli, dryRun, by: who }: GivenForce) => {
      const order = {
        target,
        giveUp: giveUp ?? [],
        acceptDataLoss,
        patienceMs: patience,
        fdbcli,
        dryRun: dryRun === true,
        by: who ?? 'operator',
      };
      const { orderForcedRecovery } = await import('./commands/force-recovery.ts');
      tools.done(await orderForcedRecovery(await tools.load(config), order, { ...tools.world, json: json === true }));
    });
}

function describeMaintenance(add: (name: string, says: string, example: string) => Command, by: Option, tools: Tools): void {
  const pause = add(
    'pause',
    'no failover begins by itself until resume, or until the time is over',
    'coditect-dr pause --for=2h --why="new switches"',
  )
    .addOption(new Option('--for <duration>', 'how long, such as 90s, 30m, 2h; without it until resume').argParser(parseDuration))
    .option('--why <text>', 'for whoever looks at status')
    .addOption(by);
  const resume = add('resume', 'failovers begin by themselves again', 'coditect-dr resume')
    .option('--why <text>', 'for the record')
    .addOption(by);
  const acknowledge = add(
    'acknowledge',
    'the last automatic failover was looked at: the next one may begin at once',
    'coditect-dr acknowledge',
  ).addOption(by);
  for (const [what, command] of Object.entries({ pause, resume, acknowledge })) {
    command.action(async ({ config, json, why, for: forMs, by: who }: Given) => {
      const change = {
        what: what as Change['what'],
        by: who ?? 'operator',
        ...(why === undefined ? {} : { why }),
        ...(forMs === undefined ? {} : { forMs }),
      };
      const { changeMaintenance } = await import('./commands/maintenance.ts');
      tools.done(await changeMaintenance(await tools.load(config), change, { ...tools.world, json: json === true }));
    });
  }
  add('history', 'the past runs with the time of each step; exits 3 where no controller answers', 'coditect-dr history --json').action(
    async ({ config, json }: Given) => {
      const { showHistory } = await import('./commands/history.ts');
      tools.done(await showHistory(await tools.load(config), { ...tools.world, json: json === true }));
    },
  );
}

/** What has just begun to answer may not be in the status yet, and FoundationDB has to have had its time. */
function parsePatience(text: string): number {
  const patienceMs = parseDuration(text);
  if (patienceMs < LEAST_PATIENCE_MS)
    throw new InvalidArgumentError(`${text} is too short: FoundationDB fails over by itself in up to 28 s; write 30s or more`);
  if (patienceMs > MOST_PATIENCE_MS) throw new InvalidArgumentError(`${text} is too long: write 30m or less`);
  return patienceMs;
}

function lossOption(): Option {
  return new Option('--accept-data-loss <seconds>', 'up to so many seconds of writes may be lost; "any" where nobody can know').argParser(
    parseLoss,
  );
}

function parseLoss(text: string): number | 'any' {
  if (text === 'any') return text;
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0)
    throw new InvalidArgumentError(`${text} is no number of seconds; write for example 2.5, or any`);
  return seconds;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A pause that nobody ends for so long is a setting of the policy, no pause. */
const LONGEST_MS = 30 * 86_400_000;

function parseDuration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text.trim());
  const forMs = found === null ? 0 : Math.round(Number(found[1]) * (UNITS[found[2] as string] as number));
  if (forMs <= 0 || forMs > LONGEST_MS)
    throw new InvalidArgumentError(`${text} is no duration up to 30d; write for example 90s, 30m or 2h`);
  return forMs;
}
