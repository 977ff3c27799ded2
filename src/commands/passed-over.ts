import type { PassedOverBackup } from '../backup/repository/choose.ts';
import type { World } from './world.ts';

/** Tells which newer backups are not used; returns whether one of them is so for another reason than that somebody meant it. */
export function tellPassedOver(world: Pick<World, 'err'>, passedOver: readonly PassedOverBackup[]): boolean {
  for (const { backupId, problem, setAside } of passedOver)
    world.err(
      setAside
        ? `passed over, as it was set aside on purpose: the newer backup ${backupId}: ${problem}\n`
        : `! passed over, NOT to be trusted: the newer backup ${backupId}: ${problem}\n`,
    );
  return passedOver.some(({ setAside }) => !setAside);
}
