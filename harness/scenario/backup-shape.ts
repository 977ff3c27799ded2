import { z } from 'zod';
import { complain } from './complain.ts';
import { durationMs } from './duration.ts';
import { DISK_DAMAGE, OBJECT_DAMAGE, OBJECT_KINDS, OTHER_DAMAGE, type BackupLab, type BackupStep } from './scenario.ts';
import { fields } from './yaml-decode.ts';

const KIB = 1024;
const size = z
  .string()
  .regex(/^[1-9]\d{0,4}(KiB|MiB)$/, 'must be a size such as 500KiB or 4MiB')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('MiB') ? KIB * KIB : KIB));

/** `backup` of a scenario: the lab gets a store, and a place beside each database that makes backups. */
export const backupLabShape = fields({
  store: z.enum(['folder', 'bucket']).default('folder'),
  service: fields({
    every: durationMs,
    log: durationMs.default(1000),
    stepPause: durationMs.default(0),
    verify: durationMs.optional(),
    prune: z.boolean().default(false),
  }).optional(),
  retention: durationMs.optional(),
  perSecond: size.optional(),
  storeSize: size.optional(),
  diskSize: size.optional(),
})
  .superRefine(({ store, storeSize, service }, context) => {
    if (store === 'bucket' && storeSize !== undefined)
      context.addIssue({ code: 'custom', path: ['storeSize'], message: 'belongs to `store: folder`' });
    if (service?.prune === true && service.verify === undefined)
      context.addIssue({ code: 'custom', path: ['service', 'prune'], message: 'the service prunes after it has verified: add `verify`' });
  })
  .transform(({ store, service, retention, perSecond, storeSize, diskSize }): BackupLab => ({
    store,
    service:
      service === undefined
        ? null
        : {
            everyMs: service.every,
            logMs: service.log,
            stepPauseMs: service.stepPause,
            verifyMs: service.verify ?? null,
            prune: service.prune,
          },
    retentionMs: retention ?? null,
    bytesPerSecond: perSecond ?? null,
    storeBytes: storeSize ?? null,
    diskBytes: diskSize ?? null,
  }));

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'must be a name of lower-case letters, digits and hyphens');
const region = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be a region');
const words = z
  .string()
  .transform((text) => text.trim().split(/\s+/))
  .refine((all) => all.every((word) => /^[\w.:,=@/-]+$/.test(word)), 'is words; there is no shell to quote for');
const COMMANDS = ['create', 'list', 'show', 'verify', 'drill', 'prune', 'rewrap'] as const;
const command = words.refine(
  ([first]) => COMMANDS.some((one) => one === first),
  `a backup order begins with one of ${COMMANDS.join(', ')}; restores have a step of their own, \`restore\``,
);
/** `latest`, `@BACKUP` or an id, and what the comparison with the ledger knows how to judge. */
const restoreWords = words.refine(
  ([first = '', ...options]) =>
    !first.startsWith('-') &&
    options.length % 2 === 0 &&
    options.every((word, index) => (index % 2 === 0 ? ['--prefix', '--to-time'].includes(word) : !word.startsWith('--'))) &&
    (!options.includes('--to-time') || options[options.indexOf('--to-time') + 1]?.startsWith('@') === true),
  'is `latest` or `@BACKUP`, then perhaps `--prefix PREFIX` or `--to-time @MARK`',
);
const count = z.int().min(0).max(100);
const exits = z.int().min(0).max(255).default(0);
const COMMAND_WITHIN_MS = 60_000;
const within = durationMs.default(COMMAND_WITHIN_MS);

const SHAPES = {
  backup: fields({
    backup: command,
    as: name.optional(),
    in: region.optional(),
    exits,
    within,
    background: z.boolean().default(false),
    during: name.optional(),
    namesDamage: z.boolean().default(false),
    says: z.string().min(1).max(200).optional(),
  }).transform((raw): BackupStep => {
    const { as, during, background, namesDamage, says } = raw;
    const place = { name: as ?? null, region: raw.in ?? null };
    return {
      do: 'backup',
      args: raw.backup,
      ...place,
      exits: raw.exits,
      atMostMs: raw.within,
      background,
      during: during ?? null,
      namesDamage,
      says: says ?? null,
    };
  }),
  restore: fields({
    restore: restoreWords,
    as: name,
    in: region.optional(),
    exits,
    within,
    live: z.boolean().default(false),
    offlineKey: z.boolean().default(false),
    since: name.optional(),
    mayLack: durationMs.default(0),
    namesDamage: z.boolean().default(false),
  }).transform((raw): BackupStep => {
    const { live, offlineKey, since, namesDamage } = raw;
    const limits = { exits: raw.exits, atMostMs: raw.within, since: since ?? null, mayLackMs: raw.mayLack };
    return { do: 'restore', args: raw.restore, name: raw.as, region: raw.in ?? null, live, offlineKey, ...limits, namesDamage };
  }),
  awaitBackup: fields({ awaitBackup: name, within }).transform((raw): BackupStep => ({
    do: 'await-backup',
    name: raw.awaitBackup,
    atMostMs: raw.within,
  })),
  awaitBackups: fields({
    awaitBackups: count,
    verified: count.default(0),
    damaged: count.default(0),
    gone: count.default(0),
    within,
  })
    .refine(
      ({ awaitBackups, verified, damaged, gone }) => awaitBackups + verified + damaged + gone > 0,
      'waits for nothing: say how many backups, or how many `verified`, `damaged` or `gone`',
    )
    .transform(({ awaitBackups: more, within: atMostMs, ...counts }): BackupStep => ({ do: 'await-backups', more, ...counts, atMostMs })),
  mark: fields({ mark: name }).transform((raw): BackupStep => ({ do: 'mark', name: raw.mark })),
  deleteAll: fields({ deleteAll: durationMs }).transform((raw): BackupStep => ({ do: 'delete-all', atMostMs: raw.deleteAll })),
  damage: fields({
    damage: z.enum([...OBJECT_DAMAGE, ...DISK_DAMAGE, ...OTHER_DAMAGE]),
    object: z.enum(OBJECT_KINDS).optional(),
    of: name.optional(),
    in: region.optional(),
  }).transform(({ damage, object, of, in: where }, context): BackupStep => {
    const how = OBJECT_DAMAGE.find((one) => one === damage);
    const disk = DISK_DAMAGE.find((one) => one === damage);
    const other = OTHER_DAMAGE.find((one) => one === damage);
    const plain = object === undefined && of === undefined;
    if (other !== undefined && plain && where === undefined) return { do: 'damage', how: other, object: null, of: null, region: null };
    if (disk !== undefined && plain && where !== undefined) return { do: 'damage', how: disk, object: null, of: null, region: where };
    if (how !== undefined && object !== undefined && of !== undefined && where === undefined)
      return { do: 'damage', how, object, of, region: null };
    const message =
      how !== undefined
        ? '`object` (which kind) and `of` (which backup) say what is damaged'
        : disk !== undefined
          ? '`in` says whose disk: the region of the database'
          : `\`${damage}\` takes no \`object\`, no \`of\`, no \`in\``;
    context.addIssue({ code: 'custom', path: ['damage'], message });
    return z.NEVER;
  }),
  bulk: fields({
    bulk: name,
    perSecond: z.int().min(1).max(2000),
    for: durationMs,
    bytes: z.int().min(16).max(60_000).default(1000),
    mayFail: z.number().min(0).max(1).default(0),
  }).transform((raw): BackupStep => ({
    do: 'bulk',
    name: raw.bulk,
    perSecond: raw.perSecond,
    forMs: raw.for,
    valueBytes: raw.bytes,
    mayFail: raw.mayFail,
  })),
} as const;

const KEYS = Object.keys(SHAPES) as readonly (keyof typeof SHAPES)[];

/** Whether an entry of `method` is about backups: it has one of their words. */
export function isBackupStep(raw: unknown): boolean {
  return keyOf(raw) !== undefined;
}

export const backupStepShape = z.unknown().transform((raw, context): BackupStep => {
  const key = keyOf(raw);
  const result = key === undefined ? undefined : (SHAPES[key] as z.ZodType<BackupStep>).safeParse(raw, { error: complain });
  if (result?.success === true) return result.data;
  for (const issue of result?.error.issues ?? []) context.issues.push({ ...issue, input: raw } as z.core.$ZodRawIssue);
  return z.NEVER;
});

function keyOf(raw: unknown): keyof typeof SHAPES | undefined {
  return raw === null || typeof raw !== 'object' ? undefined : KEYS.find((key) => Object.hasOwn(raw, key));
}
