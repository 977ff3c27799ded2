import { createHash } from 'node:crypto';
import type { DamageDone } from '../history/event.ts';
import { HarnessError } from '../platform/errors.ts';
import type { BackupGround, StoreObject } from '../platform/platform.ts';
import type { ObjectDamage } from '../scenario/scenario.ts';

export interface DamageOptions {
  readonly how: ObjectDamage;
  /** First part of the object's name. */
  readonly kind: string;
  /** The objects that came with the backup: an older backup does not need them. */
  readonly added: readonly Pick<StoreObject, 'name'>[];
  /** What was in objects that may be gone by now. */
  readonly kept: ReadonlyMap<string, Uint8Array>;
  readonly seed: number;
}

/**
 * Damages one object that came with a backup, so that the ones before it stay whole; which of several, and which byte, the seed decides.
 * Throws HarnessError `lab-failed` when there is none, or no other to swap it with: nothing would have been tried.
 */
export async function damageObject(ground: BackupGround, { how, kind, added, kept, seed }: DamageOptions): Promise<DamageDone> {
  const own = added.filter(({ name }) => isOfKind(name, kind));
  const victim = own[seed % Math.max(1, own.length)];
  if (victim === undefined) throw new HarnessError('lab-failed', `${how} ${kind}: the backup brought no object of this kind`);
  if (how === 'put-back') return await putBack(ground, victim.name, kept.get(victim.name));
  const body = await ground.read(victim.name);
  const done = async (): Promise<DamageDone> => ({
    kind: 'damage',
    how,
    object: victim.name,
    done: [{ what: victim.name, before: digest(body), after: await seen(ground, victim.name) }],
  });

  switch (how) {
    case 'corrupt': {
      const changed = Buffer.from(body);
      const at = (seed * 7919) % Math.max(1, changed.length);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      await ground.overwrite(victim.name, changed);
      return await done();
    }
    case 'truncate':
      await ground.overwrite(victim.name, body.subarray(0, Math.floor(body.length / 2)));
      return await done();
    case 'remove':
      await ground.remove(victim.name);
      return await done();
    case 'swap':
    case 'replay': {
      const all = await ground.objects();
      const isNew = (name: string): boolean => added.some((object) => object.name === name);
      const others = all.filter(({ name }) => isOfKind(name, kind) && name !== victim.name && isNew(name) === (how === 'swap'));
      const other = how === 'swap' ? others[0] : others.at(-1);
      if (other === undefined)
        throw new HarnessError('lab-failed', `${how} ${kind}: there is no ${how === 'swap' ? 'second new' : 'older'} object of this kind`);
      const otherBody = await ground.read(other.name);
      await ground.overwrite(victim.name, otherBody);
      if (how === 'replay') return await done();
      await ground.overwrite(other.name, body);
      const first = await done();
      // Both are wrong now, and whoever refuses the backup may meet either first.
      return { ...first, done: [...first.done, { what: other.name, before: digest(otherBody), after: await seen(ground, other.name) }] };
    }
  }
}

/** Somebody who kept a copy lays an object that was deleted under its name again. */
async function putBack(ground: BackupGround, name: string, body: Uint8Array | undefined): Promise<DamageDone> {
  if (body === undefined) throw new HarnessError('lab-failed', `put-back: nobody kept what was in ${name}`);
  const before = await seen(ground, name);
  await ground.overwrite(name, body);
  return { kind: 'damage', how: 'put-back', object: name, done: [{ what: name, before, after: await seen(ground, name) }] };
}

const isOfKind = (name: string, kind: string): boolean => name === kind || name.startsWith(`${kind}/`);

async function seen(ground: BackupGround, name: string): Promise<string> {
  return await ground.read(name).then(digest, () => 'not there');
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}
