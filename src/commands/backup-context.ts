import type { LoadedConfig } from '../config/load.ts';
import { configuredBackup, type ConfiguredBackup } from '../backup/service/configured.ts';
import type { World } from './world.ts';

/** What the backup commands share. */
export interface BackupCommand extends ConfiguredBackup {
  readonly json: boolean;
  readonly world: World;
}

export function backupCommand(loaded: LoadedConfig, json: boolean, world: World): BackupCommand {
  return { ...configuredBackup(loaded), json, world };
}
