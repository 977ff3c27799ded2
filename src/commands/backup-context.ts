import type { LoadedConfig } from '../config/load.ts';
import type { Repository } from '../backup/repository/repository.ts';
import { configuredBackup, openConfiguredRepository, type ConfiguredBackup } from '../backup/service/configured.ts';
import type { World } from './world.ts';

/** What the backup commands share. */
export interface BackupCommand extends ConfiguredBackup {
  readonly json: boolean;
  readonly world: World;
}

export function backupCommand(loaded: LoadedConfig, json: boolean, world: World): BackupCommand {
  return { ...configuredBackup(loaded), json, world };
}

/** The repository, for a command that writes nothing under a key: with whatever keys are whole. What is wrong with others is told. */
export async function openToRead(command: BackupCommand): Promise<Repository> {
  return await opened(command, true);
}

/** The repository, for a command that writes under the newest key, or deletes. @throws EngineError backup-damaged where a key that may be the newest is damaged */
export async function openToWrite(command: BackupCommand): Promise<Repository> {
  return await opened(command, false);
}

async function opened(command: BackupCommand, toRead: boolean): Promise<Repository> {
  const { world } = command;
  const repository = await openConfiguredRepository(command, world.signal, { toRead });
  for (const problem of repository.problems) world.err(`! ${problem}\n`);
  return repository;
}
