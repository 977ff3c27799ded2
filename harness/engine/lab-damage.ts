import type { DamageDone } from '../history/event.ts';
import { HarnessError } from '../platform/errors.ts';
import type { BackupGround, Platform, Pod } from '../platform/platform.ts';
import type { DiskDamage, OtherDamage } from '../scenario/scenario.ts';

export interface LabDamage {
  readonly platform: Platform;
  readonly ground: BackupGround;
  /** Of the database whose disk is meant. */
  readonly region: string | null;
}

/** Fills and frees disks, takes and gives keys, erases what pods keep; tells what was there before and after. Throws HarnessError `bad-input` where pods whose disk is to be erased still run. */
export async function damageLab(how: DiskDamage | OtherDamage, { platform, ground, region }: LabDamage): Promise<DamageDone> {
  const done = (of: DamageDone['done']): DamageDone => ({ kind: 'damage', how, object: null, done: of });
  switch (how) {
    case 'fill-disk':
    case 'free-disk': {
      const left = how === 'fill-disk' ? await ground.fillDisk(region ?? '') : await ground.freeDisk(region ?? '');
      return done([{ what: `db-${region ?? ''}`, before: 'its disk as it was', after: `${left} bytes free` }]);
    }
    case 'fill-store':
    case 'free-store': {
      const before = (await ground.objects()).reduce((sum, { bytes }) => sum + bytes, 0);
      const left = how === 'fill-store' ? await ground.fill() : await ground.free();
      return done([{ what: 'store', before: `${before} bytes in objects`, after: `${left} bytes free` }]);
    }
    case 'lose-key':
    case 'wrong-key':
    case 'right-key': {
      const before = new Map((await ground.keys()).map(({ pod, digest }) => [pod, digest]));
      const after = await ground.changeKey(how === 'lose-key' ? 'none' : how === 'wrong-key' ? 'wrong' : 'right');
      return done(after.map(({ pod, digest }) => ({ what: pod, before: before.get(pod) ?? 'no key', after: digest ?? 'no key' })));
    }
    case 'erase-databases':
    case 'erase-arbiter': {
      const of = (app: string): readonly Pod[] => platform.pods().filter((pod) => pod.labels['app'] === app);
      // Where the database has servers of its own, the pods `db` keep nothing.
      const pods = how === 'erase-arbiter' ? of('etcd') : of('fdb').length > 0 ? of('fdb') : of('db');
      const up = pods.filter((pod) => pod.phase === 'Running');
      if (up.length > 0)
        throw new HarnessError('bad-input', `${how}: ${up.map(({ name }) => name).join(', ')} still run; hold them down first`);
      const erased = await ground.erase(pods.map(({ name }) => name));
      return done(
        erased.map(({ pod, filesBefore, bytesBefore, filesAfter }) => {
          return { what: pod, before: `${filesBefore} files, ${bytesBefore} bytes`, after: `${filesAfter} files` };
        }),
      );
    }
  }
}
