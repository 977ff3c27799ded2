import { z } from 'zod';

const bytes = z.number().int().positive();
const MIB = 1024 * 1024;
/** Of one request; above 2^31 ms a timer would fire at once. */
const timeoutSeconds = z.number().positive().max(3600);
const endpoint = z.url({ protocol: /^https?$/ });

const keyService = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local-file'), path: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('cloud-kms'),
    key: z.string().min(1),
    endpoint: endpoint.optional(),
    timeout_seconds: timeoutSeconds.default(10),
  }),
  /** The offline key itself (`backup keygen`): for when the key service is lost. Not for a machine that runs every day. */
  z.strictObject({ kind: z.literal('x25519-file'), path: z.string().min(1) }),
]);

const fields = z.strictObject({
  /** Names the system that is backed up; backups of several may be in one store. */
  cluster: z.strictObject({
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'letters, digits, _ and -, at most 64'),
    description: z.string().default(''),
  }),
  store: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('folder'), path: z.string().min(1) }),
    z.strictObject({
      kind: z.literal('gcs'),
      bucket: z.string().min(1),
      project: z.string().optional(),
      endpoint: endpoint.optional(),
      timeout_seconds: timeoutSeconds.default(60),
    }),
  ]),
  keys: keyService,
  /** The service that wrapped the keys before: only `rewrap` uses it. */
  previous_keys: keyService.optional(),
  /** Offline keys that every epoch key is wrapped to as well, as `backup keygen` prints them: who has one needs no key service. */
  recipients: z.array(z.string().regex(/^x25519:[0-9a-f]{64}:[0-9a-f]{8}$/, 'as `coditect-dr backup keygen FILE` prints it')).default([]),
  /** Ed25519 keys in PEM. `key_file` signs and is needed to write; whoever only reads needs `trusted_files`. */
  signing: z.strictObject({ key_file: z.string().optional(), trusted_files: z.array(z.string()).default([]) }),
  /** Where backup-service shows /metrics and /health, over HTTPS; absent: nowhere. */
  listen: z.strictObject({ host: z.string(), port: z.number().int().min(0).max(65535) }).optional(),
  interval_seconds: z.number().positive().default(3600),
  /** Each interval is longer by a random time up to this. */
  jitter_seconds: z.number().nonnegative().default(60),
  /** How often the log is uploaded for point-in-time restore; null: not at all. */
  log_seconds: z.number().positive().max(86_400).nullable().default(1),
  /** FoundationDB: where what its `fdbbackup` logs lies until it is stored, unencrypted, on this machine's own disk. Of one backup-service only. Absent: its backups have no log. */
  foundationdb_log: z
    .strictObject({
      folder: z.string().min(1),
      /** Where `fdbbackup` and `backup_agent` of the servers' version are; absent: on PATH. */
      programs: z.string().startsWith('/').optional(),
      /** When more than this waits to be stored, the capture is ended. */
      max_bytes: bytes.default(10 * 1024 * MIB),
    })
    .optional(),
  /** How thoroughly backup-service verifies the newest backup by itself, as `backup verify --level` has it: 3 reads all of it. */
  verify_level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)], 'must be 0, 1, 2 or 3').default(3),
  /** At level 2: how much of it is read. */
  verify_percent: z.number().positive().max(100).default(10),
  /** How long after the last verification, whoever made it; null: the service makes none. */
  verify_seconds: z.number().positive().nullable().default(86_400),
  /** Whether the service prunes when it has verified the newest backup and found it sound. Off: that something is deleted is for people to say. */
  prune: z.boolean().default(false),
  /** So many verified backups always stay, whatever their age. */
  minimum_backups: z.number().int().positive().default(2),
  /** What no backup names is deleted only when it was marked so long ago. */
  grace_hours: z.number().nonnegative().default(24),
  workers: z.number().int().min(1).max(64).default(2),
  compression_level: z.number().int().min(-5).max(19).nullable().default(1),
  pack_bytes: bytes
    .min(64 * 1024)
    .max(16 * MIB)
    .default(16 * MIB),
  limit_bytes_per_second: bytes.nullable().default(null),
  in_flight_bytes: bytes.default(64 * MIB),
  /** backup-service waits so long after each step of a backup: for game days, which kill it between two of them. */
  step_pause_seconds: z.number().nonnegative().max(60).default(0),
  labels: z.record(z.string(), z.string()).default({}),
});

/** Where backups go and how they are made. Paths are relative to the configuration file. Absent: this engine makes none. */
export const backupConfigShape = fields.superRefine(({ prune, verify_level: level, verify_seconds: seconds }, context) => {
  if (prune && (level < 3 || seconds === null))
    context.addIssue({
      code: 'custom',
      path: ['prune'],
      message:
        'the service prunes after it has read the newest backup as a whole: that needs verify_level 3 and verify_seconds; or leave it off, and order `backup prune`',
    });
});
export type BackupConfig = z.infer<typeof backupConfigShape>;

/** The settings that the environment can override, as paths below `backup`. */
export const BACKUP_SETTINGS: readonly (readonly string[])[] = [
  ['cluster', 'id'],
  ['cluster', 'description'],
  ...['kind', 'path', 'bucket', 'project', 'endpoint', 'timeout_seconds'].map((field) => ['store', field]),
  ...['kind', 'path', 'key', 'endpoint', 'timeout_seconds'].map((field) => ['keys', field]),
  ...['kind', 'path', 'key', 'endpoint', 'timeout_seconds'].map((field) => ['previous_keys', field]),
  ...['host', 'port'].map((field) => ['listen', field]),
  ...['folder', 'programs', 'max_bytes'].map((field) => ['foundationdb_log', field]),
  ...['key_file', 'trusted_files'].map((field) => ['signing', field]),
  ...Object.keys(fields.shape)
    .filter((field) => !['cluster', 'store', 'keys', 'previous_keys', 'signing', 'listen', 'foundationdb_log'].includes(field))
    .map((field) => [field]),
];
