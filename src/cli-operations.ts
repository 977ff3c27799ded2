import { Option, type Command } from 'commander';
import type { Change } from './commands/maintenance.ts';
import type { Move } from './commands/move.ts';
import { EngineError } from './platform/errors.ts';
import { describeForcedRecovery } from './cli-recovery.ts';
import { describeFoundationdb } from './cli-foundationdb.ts';
import { describePair } from './cli-pair.ts';
import { describeRegionChanges } from './cli-region.ts';
import { byOption, lossOption, OUTCOMES, parseDuration, type AddCommand, type Tools } from './cli-options.ts';

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

/** What an operator does with a running system. */
export function describeOperations(program: Command, tools: Tools): void {
  const by = byOption(tools.world.environment);
  const add: AddCommand = (name, says, example) =>
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
  describeForcedRecovery(add, { by, dryRun }, tools);
  describeRegionChanges(program, { by, dryRun }, tools);
  describeFoundationdb(program, { by, dryRun }, tools);
  describePair(program, { by, dryRun }, tools);
  describeMaintenance(add, by, tools);
}

function describeMaintenance(add: AddCommand, by: Option, tools: Tools): void {
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
