import { resolve } from 'node:path';
import { openKeyService } from '../adapters.ts';
import { openAccess } from '../backup/repository/access.ts';
import { repositoryId } from '../backup/repository/repository.ts';
import { newEpoch, rewrapKeys } from '../backup/repository/rewrap.ts';
import { requireEpochKey, shredEpochKey } from '../backup/repository/shred.ts';
import { listBackups, listOtherBackups } from '../backup/repository/catalog.ts';
import { readHolds } from '../backup/retention/holds.ts';
import { configuredBackup, whileWriter } from '../backup/service/configured.ts';
import { createOfflineKeyFile, openOfflineKeyFile } from '../keys/offline-key.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { openToWrite, type BackupCommand } from './backup-context.ts';
import { EXIT, type World } from './world.ts';

/** `backup keygen`: an offline key in a new file; or the recipient of one that is there. Needs no configuration. */
export async function makeOfflineKey(
  file: string,
  { show, json }: { readonly show: boolean; readonly json: boolean },
  world: World,
): Promise<number> {
  const path = resolve(file);
  const recipient = show ? (await openOfflineKeyFile(path)).keyName : await createOfflineKeyFile(path);
  if (json) world.out(`${JSON.stringify({ recipient, keyFile: path })}\n`);
  else {
    world.out(`${recipient}\n`);
    if (!show)
      world.err(
        `made ${path}: keep it where no network reaches it, with the public key of backup.signing beside it; put the line above into backup.recipients, then \`coditect-dr backup rewrap\`\n`,
      );
  }
  return EXIT.ok;
}

/** `backup rewrap`: all epoch keys under the configured key service. */
export async function rewrapBackups(
  command: BackupCommand,
  { removeOthers, rollEpoch }: { readonly removeOthers: boolean; readonly rollEpoch: boolean },
): Promise<number> {
  const { loaded, json, world } = command;
  const { backup } = configuredBackup(loaded);
  const context = { backup, folder: loaded.folder, clock: systemClock };
  const previous =
    backup.previous_keys === undefined ? null : await openKeyService({ ...context, backup: { ...backup, keys: backup.previous_keys } });
  const access = await openAccess(context);
  const repo = await repositoryId(access, world.signal);
  const result = await rewrapKeys({ repository: { ...access, repo }, previous, removeOthers, created: systemClock.wall() }, world.signal);
  const epoch = rollEpoch ? await newEpoch(await openToWrite(command), systemClock.wall(), world.signal) : null;
  if (json) world.out(`${JSON.stringify({ ...result, epoch: epoch === null ? null : epoch.toString() })}\n`);
  else
    world.out(
      `wrapped ${result.wrapped} epoch keys anew, removed ${result.removed} old wraps${epoch === null ? '' : `; epoch ${epoch} begins`}\n`,
    );
  return EXIT.ok;
}

/** `backup shred`: destroys an epoch key, and with it all backups and log under it. */
export async function shredBackups(
  command: BackupCommand,
  kid: string,
  { confirm, by, noLease }: { readonly confirm: string | null; readonly by: string; readonly noLease: boolean },
): Promise<number> {
  const { backup, json, world } = command;
  const repository = await openToWrite(command);
  await requireEpochKey(repository, kid, world.signal);
  const own = await listBackups(repository, backup.cluster.id, world.signal);
  const lost = [...own, ...(await listOtherBackups(repository, backup.cluster.id, world.signal))].filter((entry) => entry.kid === kid);
  const held = await readHolds(repository, world.signal);
  const holding = lost.find(({ backupId, manifest }) => held.has(backupId) || manifest?.legalHold === true);
  if (holding !== undefined)
    throw new EngineError('bad-request', `backup ${holding.backupId} is under ${kid} and held: release it first, if you may`);
  const backups = lost.map(({ backupId }) => backupId);
  if (confirm !== kid) {
    world.out(
      json
        ? `${JSON.stringify({ kid, backups, destroyed: false })}\n`
        : `${backups.map((id) => `would be lost for ever: ${id}\n`).join('')}`,
    );
    world.err(
      confirm === null ? `nothing was changed: --confirm ${kid} does it\n` : `--confirm ${confirm} is not ${kid}: nothing was changed\n`,
    );
    return confirm === null ? EXIT.ok : EXIT.badInput;
  }
  const work = async (signal: AbortSignal): Promise<{ readonly wraps: number }> =>
    await shredEpochKey({ repository, kid, by, at: systemClock.wall() }, signal);
  const outcome = noLease
    ? { kind: 'done' as const, value: await work(world.signal) }
    : await whileWriter(command, (_lease, signal) => work(signal), world.signal);
  if (outcome.kind !== 'done') {
    world.err(outcome.kind === 'busy' ? `${outcome.holder} is writing backups; never two at once\n` : 'the arbiter did not answer\n');
    return EXIT.undecided;
  }
  world.out(
    json
      ? `${JSON.stringify({ kid, backups, destroyed: true, ...outcome.value })}\n`
      : `destroyed ${kid} (${outcome.value.wraps} wraps): ${backups.length} backups are unreadable for ever, and go with the next prunes\n`,
  );
  return EXIT.ok;
}
