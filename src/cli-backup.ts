import { Option, type Command } from 'commander';
import type { BackupCommand } from './commands/backup-context.ts';
import type { World } from './commands/world.ts';
import type { LoadedConfig } from './config/load.ts';

interface Shared {
  readonly config: string;
  readonly json?: true;
}

export interface BackupCli {
  readonly program: Command;
  readonly world: World;
  readonly configOption: Option;
  readonly load: (file: string) => Promise<LoadedConfig>;
  readonly done: (code: number) => void;
}

/** `coditect-dr backup …`. Each command loads only what it needs. */
export function describeBackupCommands({ program, world, configOption, load, done }: BackupCli): void {
  const group = program.command('backup').description('encrypted, verified backups: make, list, verify, restore, prove, prune');
  const command = (name: string, says: string, example: string): Command =>
    group
      .command(name)
      .description(says)
      .addOption(configOption)
      .option('--json', 'one JSON document')
      .addHelpText('after', `\nExample:\n  coditect-dr backup ${example}`);
  const contextOf = async ({ config, json }: Shared): Promise<BackupCommand> =>
    (await import('./commands/backup-context.ts')).backupCommand(await load(config), json === true, world);

  command('init', 'make the repository in the configured store, and missing key files', 'init').action(async (options: Shared) =>
    done(await (await import('./commands/backup-create.ts')).initBackups(await contextOf(options))),
  );
  command('create', 'make a backup of the database of this machine, running or not', 'create')
    .option('--full-scan', 'read everything, though the log tells what changed')
    .option('--no-lease', 'do not ask the arbiter who may write: for when it is gone; never while another may be writing')
    .action(async (options: Shared & { fullScan?: true; lease: boolean }) => {
      const flags = { fullScan: options.fullScan === true, noLease: !options.lease };
      done(await (await import('./commands/backup-create.ts')).createOneBackup(await contextOf(options), flags));
    });
  command('list', 'list the backups; exits 1 if one is not to be trusted', 'list --json').action(async (options: Shared) =>
    done(await (await import('./commands/backup-list.ts')).listAllBackups(await contextOf(options))),
  );
  command('show', 'show all that the manifest of a backup says', 'show latest')
    .argument('<backup>', 'its id, or latest')
    .action(async (backupId: string, options: Shared) =>
      done(await (await import('./commands/backup-list.ts')).showBackup(await contextOf(options), backupId)),
    );
  for (const each of group.commands) each.copyInheritedSettings(program);
}
