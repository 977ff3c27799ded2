import { z } from 'zod';
import { backupLabShape } from './backup-shape.ts';
import { durationMs, parseDurationMs } from './duration.ts';
import { DATABASES, FAILOVERS, FOUNDATIONDB_LAYOUTS, SETS } from './scenario.ts';
import type { LaidOver, OnFoundationdb, WrittenScenario } from './on-database.ts';
import { methodShape } from './steps.ts';
import { fields } from './yaml-decode.ts';

/** A duration that may be `0s`. */
const limitMs = z.string({ error: 'must be a duration such as 0s, 500ms or 10s, written as text' }).transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 0)
    context.addIssue({ code: 'custom', message: `\`${text}\` is not a duration; write it as 0s, 500ms or 10s` });
  return ms ?? 0;
});

const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a name of lower-case letters, digits and hyphens');

const workloadShape = fields({
  period: durationMs.default(20),
  timeout: durationMs.default(1000),
  goodWithin: durationMs.default(250),
  sustained: fields({ operations: z.number().int().min(1).max(1000), for: durationMs }).default({ operations: 25, for: 500 }),
})
  .superRefine((value, context) => {
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (value.period < 5) wrong('period', 'must be at least 5ms: a client cannot keep a faster schedule');
    if (value.goodWithin > value.timeout)
      wrong('goodWithin', 'must not be longer than timeout: an operation would be given up before it can be bad');
  })
  .transform((value) => ({
    periodMs: value.period,
    timeoutMs: value.timeout,
    goodWithinMs: value.goodWithin,
    sustained: { operations: value.sustained.operations, forMs: value.sustained.for },
  }));

const DEFAULT_WORKLOAD = { periodMs: 20, timeoutMs: 1000, goodWithinMs: 250, sustained: { operations: 25, forMs: 500 } };

const OUTAGES = ['none', 'expected', 'allowed'] as const;

/** What may be otherwise on FoundationDB, which recovers and copies in its own time. */
const laidOverFields = {
  settle: durationMs.optional(),
  awaitRecovery: durationMs.optional(),
  expect: fields({ failover: z.enum(FAILOVERS).optional(), outage: z.enum(OUTAGES).optional() }).default({}),
  targets: fields({ recoveryTime: durationMs.optional() }).default({}),
};
const laidOverShape = fields(laidOverFields);

function laidOverOf({ settle, awaitRecovery, expect: { failover, outage }, targets }: z.infer<typeof laidOverShape>): LaidOver {
  return {
    ...(settle === undefined ? {} : { settleMs: settle }),
    ...(awaitRecovery === undefined ? {} : { awaitRecoveryMs: awaitRecovery }),
    ...(targets.recoveryTime === undefined ? {} : { recoveryTimeMs: targets.recoveryTime }),
    ...(failover === undefined ? {} : { failover }),
    ...(outage === undefined ? {} : { outage }),
  };
}

const onFoundationdb: z.ZodType<OnFoundationdb> = fields({ ...laidOverFields, twoRegions: laidOverShape.optional() }).transform(
  ({ twoRegions, ...ofAny }) => ({ ...laidOverOf(ofAny), ...(twoRegions === undefined ? {} : { twoRegions: laidOverOf(twoRegions) }) }),
);

/** The scenario language. What needs more than one field, or the world, is checked in decode.ts. */
export const scenarioShape: z.ZodType<WrittenScenario> = fields({
  name: label,
  question: z.string().min(1),
  sets: z.array(z.enum(SETS)).min(1, 'is empty; remove it, or name the sets that play this scenario').default(['default']),
  /** Read by load.ts, which plays the scenario once for each value. */
  variants: z.unknown().optional(),
  platform: z.enum(['local', 'kubernetes']).default('local'),
  replication: z.enum(['sync', 'async']).default('sync'),
  policy: z.enum(['lab', 'production']).default('lab'),
  controllersPerRegion: z.union([z.literal(1), z.literal(2)], { error: 'must be 1 or 2' }).default(1),
  database: z.enum(DATABASES).default('embedded'),
  foundationdb: z.enum(FOUNDATIONDB_LAYOUTS).optional(),
  onFoundationdb: onFoundationdb.default({}),
  seed: z.number().int().nonnegative().nullable().default(null),
  workload: workloadShape.default(DEFAULT_WORKLOAD),
  backup: backupLabShape.nullable().default(null),
  steady: durationMs,
  method: methodShape,
  settle: durationMs,
  expect: fields({
    failover: z.enum(FAILOVERS),
    outage: z.enum(OUTAGES),
    loss: z.enum(['none', 'allowed']),
    mustRecover: z.array(label).min(1, 'is empty; name the vantages that the objective is judged on'),
  }),
  targets: fields({
    recoveryTime: durationMs.optional(),
    recoveryPoint: limitMs.optional(),
    lostWrites: z.number().int().nonnegative().optional(),
    writePause: durationMs.optional(),
    brownOut: durationMs.optional(),
    backupAge: durationMs.optional(),
    restoreTime: durationMs.optional(),
  }).default({}),
}).transform((raw) => ({
  name: raw.name,
  question: raw.question,
  sets: raw.sets,
  platform: raw.platform,
  replication: raw.replication,
  policy: raw.policy,
  controllersPerRegion: raw.controllersPerRegion,
  database: raw.database,
  ...(raw.foundationdb === undefined ? {} : { foundationdb: raw.foundationdb }),
  onFoundationdb: raw.onFoundationdb,
  seed: raw.seed,
  workload: raw.workload,
  backup: raw.backup,
  steadyMs: raw.steady,
  method: raw.method,
  settleMs: raw.settle,
  expect: { failover: raw.expect.failover, outage: raw.expect.outage, loss: raw.expect.loss, mustRecover: raw.expect.mustRecover },
  targets: {
    recoveryTimeMs: raw.targets.recoveryTime ?? null,
    recoveryPointMs: raw.targets.recoveryPoint ?? null,
    lostWrites: raw.targets.lostWrites ?? null,
    writePauseMs: raw.targets.writePause ?? null,
    brownOutMs: raw.targets.brownOut ?? null,
    backupAgeMs: raw.targets.backupAge ?? null,
    restoreTimeMs: raw.targets.restoreTime ?? null,
  },
}));
