import { z } from 'zod';
import { DISK_DAMAGE, OBJECT_DAMAGE, OTHER_DAMAGE } from './scenario.ts';

/** The parts of a recorded scenario that are about backups (recorded.ts). */

const ms = z.number().nonnegative();
const name = z.string();
const place = { region: name.nullable(), exits: z.number(), atMostMs: ms, namesDamage: z.boolean() };

export const recordedBackupLab = z.strictObject({
  store: z.enum(['folder', 'bucket']),
  service: z
    .strictObject({ everyMs: ms, logMs: ms, stepPauseMs: ms, verifyMs: ms.nullable().default(null), prune: z.boolean().default(false) })
    .nullable(),
  retentionMs: ms.nullable().default(null),
  bytesPerSecond: z.number().nullable(),
  storeBytes: z.number().nullable(),
  diskBytes: z.number().nullable().default(null),
});

export const recordedBackupSteps = [
  z.strictObject({
    do: z.literal('backup'),
    args: z.array(z.string()),
    name: name.nullable(),
    background: z.boolean(),
    during: name.nullable(),
    says: z.string().nullable().default(null),
    ...place,
  }),
  z.strictObject({
    do: z.literal('restore'),
    args: z.array(z.string()),
    name,
    live: z.boolean(),
    offlineKey: z.boolean().default(false),
    since: name.nullable(),
    mayLackMs: ms,
    ...place,
  }),
  z.strictObject({ do: z.literal('await-backup'), name, atMostMs: ms }),
  z.strictObject({
    do: z.literal('await-backups'),
    more: z.number(),
    verified: z.number().default(0),
    damaged: z.number().default(0),
    gone: z.number().default(0),
    atMostMs: ms,
  }),
  z.strictObject({ do: z.literal('mark'), name }),
  z.strictObject({ do: z.literal('delete-all'), atMostMs: ms }),
  z.strictObject({
    do: z.literal('damage'),
    how: z.enum([...OBJECT_DAMAGE, ...DISK_DAMAGE, ...OTHER_DAMAGE]),
    object: name.nullable(),
    of: name.nullable(),
    region: name.nullable().default(null),
  }),
  z.strictObject({
    do: z.literal('bulk'),
    name,
    perSecond: z.number(),
    forMs: ms,
    valueBytes: z.number(),
    mayFail: z.number(),
  }),
] as const;
