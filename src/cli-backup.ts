import { InvalidArgumentError, Option, type Command } from 'commander';
import { byOption } from './cli-options.ts';
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

interface RestoreOptions {
  readonly into: string;
  readonly prefix?: string;
  readonly newPrefix?: string;
  readonly toVersion?: number;
  readonly toTime?: number;
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
    .option(
      '--lock',
      'FoundationDB: lock everybody out of the whole cluster until it is read (an outage); needed where others than this system write into it',
    )
    .action(async (options: Shared & { fullScan?: true; lease: boolean; lock?: true }) => {
      const flags = { fullScan: options.fullScan === true, noLease: !options.lease, locks: options.lock === true };
      done(await (await import('./commands/backup-create.ts')).createOneBackup(await contextOf(options), flags));
    });
  command('list', 'list the backups; exits 1 if one is not to be trusted', 'list --json').action(async (options: Shared) =>
    done(await (await import('./commands/backup-list.ts')).listAllBackups(await contextOf(options))),
  );
  command('log', 'read the log, and tell the times that can be restored to; exits 1 if a part of it is damaged', 'log').action(
    async (options: Shared) => done(await (await import('./commands/backup-log.ts')).describeBackupLog(await contextOf(options))),
  );
  command('show', 'show all that the manifest of a backup says', 'show latest')
    .argument('<backup>', 'its id, or latest')
    .action(async (backupId: string, options: Shared) =>
      done(await (await import('./commands/backup-list.ts')).showBackup(await contextOf(options), backupId)),
    );
  command('verify', 'check a backup; exits 1 if something is damaged', 'verify latest --level 3')
    .argument('<backup>', 'its id, or latest')
    .addOption(
      new Option('--level <level>', '0 objects are there, 1 keys, indexes and lists, 2 a part is read, 3 all is read')
        .choices(['0', '1', '2', '3'])
        .default('3'),
    )
    .option('--percent <percent>', 'at level 2: how much is read', parsePercent, 10)
    .action(async (backupId: string, options: Shared & { level: string; percent: number }) => {
      const level = Number(options.level) as 0 | 1 | 2 | 3;
      done(await (await import('./commands/backup-verify.ts')).verifyOneBackup(await contextOf(options), backupId, level, options.percent));
    });
  command(
    'restore',
    'restore into the database of this machine, which must be stopped and empty (a FoundationDB cluster is locked meanwhile)',
    'restore latest --into us-east1',
  )
    .argument('<backup>', 'its id, or latest')
    .requiredOption('--into <region>', 'the region whose database is filled: must be the one of the configuration')
    .option('--prefix <prefix>', 'only keys that begin so')
    .option('--new-prefix <prefix>', 'and write them under this prefix instead')
    .option('--to-version <version>', 'with `latest`: the state after this write', parseVersion)
    .addOption(
      new Option('--to-time <time>', 'with `latest`: the last state that was committed by then, as 2026-11-22T21:00:00Z')
        .argParser(parseTime)
        .conflicts('toVersion'),
    )
    .action(async (backupId: string, options: Shared & RestoreOptions) => {
      const { into, prefix, newPrefix, toVersion, toTime } = options;
      const point = toVersion !== undefined ? { version: toVersion } : toTime !== undefined ? { timeMs: toTime } : null;
      const change = prefix === undefined && newPrefix === undefined ? null : { from: prefix ?? '', to: newPrefix ?? prefix ?? '' };
      done(
        await (
          await import('./commands/backup-restore.ts')
        ).restoreOneBackup(await contextOf(options), { backupId, into, prefix: change, point }),
      );
    });
  command('drill', 'restore into a folder of its own, compare, measure, sign what was found', 'drill latest')
    .argument('<backup>', 'its id, or latest')
    .action(async (backupId: string, options: Shared) =>
      done(await (await import('./commands/backup-upkeep.ts')).drillBackup(await contextOf(options), backupId)),
    );
  command(
    'prune',
    'tell what is over its time and what nobody needs; --confirm marks it, and deletes what was marked long ago',
    'prune --confirm',
  )
    .option('--confirm', 'do it')
    .option('--no-lease', 'do not ask the arbiter who may write: for when it is gone')
    .action(async (options: Shared & { confirm?: true; lease: boolean }) => {
      const flags = { confirm: options.confirm === true, noLease: !options.lease };
      done(await (await import('./commands/backup-upkeep.ts')).pruneBackups(await contextOf(options), flags));
    });
  command('rewrap', 'encrypt the epoch keys anew with the configured key service; no backup is touched', 'rewrap --remove-others')
    .option('--remove-others', 'also delete wraps of other key services')
    .option('--new-epoch', 'and begin a new epoch key: later backups share nothing with earlier ones')
    .action(async (options: Shared & { removeOthers?: true; newEpoch?: true }) => {
      const flags = { removeOthers: options.removeOthers === true, rollEpoch: options.newEpoch === true };
      done(await (await import('./commands/backup-keys.ts')).rewrapBackups(await contextOf(options), flags));
    });
  const by = byOption(world.environment);
  command('hold', 'keep a backup whatever its age, until --release', 'hold latest --why "case 4711"')
    .argument('<backup>', 'its id, or latest')
    .option('--release', 'it goes with its time again')
    .option('--why <text>', 'for the record', '')
    .addOption(by)
    .action(async (backupId: string, options: Shared & { release?: true; why: string; by: string }) => {
      const flags = { release: options.release === true, why: options.why, by: options.by };
      done(await (await import('./commands/backup-hold.ts')).holdBackup(await contextOf(options), backupId, flags));
    });
  command('shred', 'destroy an epoch key: all backups and log under it are unreadable for ever', 'shred 0123…cdef --confirm 0123…cdef')
    .argument('<key>', 'its kid, as `backup show` tells')
    .option('--confirm <key>', 'do it: the kid once more')
    .option('--no-lease', 'do not ask the arbiter who may write: for when it is gone')
    .addOption(by)
    .action(async (kid: string, options: Shared & { confirm?: string; lease: boolean; by: string }) => {
      const flags = { confirm: options.confirm ?? null, noLease: !options.lease, by: options.by };
      done(await (await import('./commands/backup-keys.ts')).shredBackups(await contextOf(options), kid, flags));
    });
  group
    .command('keygen')
    .description('make an offline key, and print the recipient for backup.recipients: who has the key needs no key service')
    .argument('<file>', 'the new file')
    .option('--show', 'print the recipient of a key that is there')
    .option('--json', 'one JSON document')
    .addHelpText('after', '\nExample:\n  coditect-dr backup keygen /media/safe/offline.key')
    .action(async (file: string, options: { show?: true; json?: true }) => {
      const flags = { show: options.show === true, json: options.json === true };
      done(await (await import('./commands/backup-keys.ts')).makeOfflineKey(file, flags, world));
    });
  for (const each of group.commands) each.copyInheritedSettings(program);
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (!(percent > 0 && percent <= 100)) throw new InvalidArgumentError('a percentage is a number above 0, at most 100.');
  return percent;
}

function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a version is a whole number.');
  return Number(text);
}

function parseTime(text: string): number {
  const time = Date.parse(text);
  const day = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[zZ]|[+-]\d\d:\d\d)$/.exec(text)?.[1];
  if (Number.isNaN(time) || day === undefined) throw new InvalidArgumentError('write a time with its zone, as 2026-11-22T21:00:00Z.');
  // Date.parse takes 31 November for 1 December.
  if (!new Date(day).toISOString().startsWith(day)) throw new InvalidArgumentError(`there is no ${day}.`);
  return time;
}
