import { z } from 'zod';

/** The part of `result.json` that is about backups; documented in reports/README.md. */
const count = z.number().int().nonnegative();
const exitCode = z.number().nullable();
const interval = z.strictObject({ fromMs: z.number(), toMs: z.number() });

export const backupsShape = z.strictObject({
  made: z.array(
    z.strictObject({
      name: z.string().nullable(),
      id: z.string().nullable(),
      pod: z.string(),
      givenMs: z.number(),
      elapsedMs: z.number(),
      exitCode,
      /** Of what came into the store meanwhile. */
      storedBytes: count,
      objects: count,
      /** Of the keys and values that a restore of it gave back; null: it was not restored whole. */
      logicalBytes: count.nullable(),
      logicalBytesPerSecond: z.number().nullable(),
      /** logical by stored bytes */
      ratio: z.number().nullable(),
    }),
  ),
  restores: z.array(
    z.strictObject({
      name: z.string(),
      command: z.string(),
      elapsedMs: z.number(),
      exitCode,
      live: z.boolean(),
      backupId: z.string().nullable(),
      /** null: there is no copy, or it is judged with its region. */
      matches: z.boolean().nullable(),
      /** Between which instants the copy is the state of the system. */
      stateMs: interval.nullable(),
      problems: z.array(z.string()),
      entries: count,
      bulkEntries: count,
      logicalBytes: count,
    }),
  ),
  checks: z.array(
    z.strictObject({ command: z.enum(['verify', 'drill']), backupId: z.string().nullable(), elapsedMs: z.number(), exitCode }),
  ),
  damage: z.array(z.strictObject({ how: z.string(), object: z.string().nullable(), done: z.array(z.string()) })),
  /** The newest backup that a restored copy proved, when the first fault took effect. */
  recoveryPoint: z.strictObject({ ageMs: z.number(), backupId: z.string(), fault: z.string() }).nullable(),
  bulk: z.array(
    z.strictObject({
      name: z.string(),
      iterations: count,
      dropped: count,
      failedShare: z.number(),
      perSecond: z.number(),
      latencyMs: z.strictObject({ median: z.number(), p95: z.number(), max: z.number() }).nullable(),
      exitCode,
      crossed: z.array(z.string()),
    }),
  ),
});
export type ResultBackups = z.infer<typeof backupsShape>;
