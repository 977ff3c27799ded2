import { z } from 'zod';
import { HarnessError } from '../platform/errors.ts';
import { complain } from './complain.ts';
import { recordedBackupSteps, recordedBackupLab } from './recorded-backup.ts';
import { DATABASES, FAILOVERS, FOUNDATIONDB_LAYOUTS, SETS, type Scenario } from './scenario.ts';

const ms = z.number().nonnegative();
/** Strict: what a newer version asks for, and this one does not know, would be passed over, and a run pass that was never judged by it. */
const recorded: z.ZodType<Scenario> = z.strictObject({
  name: z.string(),
  question: z.string(),
  sets: z.array(z.enum(SETS)),
  platform: z.enum(['local', 'kubernetes']),
  replication: z.enum(['sync', 'async']),
  policy: z.enum(['lab', 'production']),
  controllersPerRegion: z.union([z.literal(1), z.literal(2)]).default(1),
  database: z.enum(DATABASES).default('embedded'),
  foundationdb: z.enum(FOUNDATIONDB_LAYOUTS).exactOptional(),
  seed: z.number().nullable(),
  workload: z.strictObject({
    periodMs: ms,
    timeoutMs: ms,
    goodWithinMs: ms,
    sustained: z.strictObject({ operations: z.number().int().positive(), forMs: ms }),
  }),
  backup: recordedBackupLab.nullable().default(null),
  steadyMs: ms,
  method: z.array(
    z.discriminatedUnion('do', [
      z.strictObject({ do: z.literal('inject'), fault: z.string(), manifest: z.string() }),
      z.strictObject({ do: z.literal('arm'), fault: z.string(), manifest: z.string(), at: z.string() }),
      z.strictObject({ do: z.literal('observe'), forMs: ms }),
      z.strictObject({ do: z.literal('await-recovery'), atMostMs: ms }),
      z.strictObject({ do: z.literal('heal'), fault: z.string() }),
      z.strictObject({ do: z.literal('order'), args: z.array(z.string()), exits: z.number(), atMostMs: ms }),
      ...recordedBackupSteps,
    ]),
  ),
  settleMs: ms,
  expect: z.strictObject({
    failover: z.enum(FAILOVERS),
    outage: z.enum(['none', 'expected', 'allowed']),
    loss: z.enum(['none', 'allowed']),
    mustRecover: z.array(z.string()),
  }),
  targets: z.strictObject({
    recoveryTimeMs: ms.nullable(),
    recoveryPointMs: ms.nullable(),
    lostWrites: z.number().nullable(),
    writePauseMs: ms.nullable(),
    brownOutMs: ms.nullable().default(null),
    backupAgeMs: ms.nullable().default(null),
    restoreTimeMs: ms.nullable().default(null),
  }),
});

/** The scenario as `run-started` holds it. Throws HarnessError (broken-record) with the field that is wrong. */
export function decodeRecordedScenario(value: unknown): Scenario {
  const result = recorded.safeParse(value, { error: complain });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HarnessError('broken-record', `scenario.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a scenario'}`);
}
