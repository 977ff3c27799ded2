import { z } from 'zod';

/** Events about backups, as event-schema.ts has all others. */
const ms = z.number();

export const backupEvents = [
  z.object({
    kind: z.literal('backup-order'),
    name: z.string().nullable(),
    pod: z.string(),
    region: z.string(),
    args: z.array(z.string()),
    givenMs: ms,
    endedMs: ms,
    exitCode: z.number().nullable(),
    answer: z.record(z.string(), z.unknown()).nullable(),
    said: z.string(),
    added: z.array(z.object({ name: z.string(), bytes: z.number() })),
  }),
  z.object({
    kind: z.literal('copy'),
    name: z.string(),
    ok: z.boolean(),
    error: z.string().exactOptional(),
    entries: z.record(z.string(), z.string()).exactOptional(),
    bytes: z.number().exactOptional(),
  }),
  z.object({
    kind: z.literal('damage'),
    how: z.string(),
    object: z.string().nullable(),
    done: z.array(z.object({ what: z.string(), before: z.string(), after: z.string() })),
  }),
  z.object({
    kind: z.literal('store'),
    manifests: z.array(z.string()),
    writtenMs: z.record(z.string(), ms).exactOptional(),
    records: z.record(z.string(), z.boolean()).exactOptional(),
    listed: z.record(z.string(), z.string().nullable()).exactOptional(),
    alone: z.boolean().exactOptional(),
    awaited: z.object({ more: z.number(), came: z.number() }).exactOptional(),
  }),
  z.object({ kind: z.literal('deletion'), startedMs: ms, endedMs: ms }),
  z.object({ kind: z.literal('mark'), name: z.string(), timeMs: z.number() }),
  z.object({
    kind: z.literal('bulk'),
    name: z.string(),
    startedMs: ms,
    endedMs: ms,
    exitCode: z.number().nullable(),
    summary: z.record(z.string(), z.unknown()).nullable(),
    acknowledged: z.array(z.number()).exactOptional(),
  }),
] as const;
