import { z } from 'zod';
import { durationMs, parseDurationMs } from './duration.ts';
import type { Scenario, Step } from './scenario.ts';
import { fields } from './yaml-decode.ts';

/** A duration that may be `0s`. */
const limitMs = z.string({ error: 'must be a duration such as 0s, 500ms or 10s, written as text' }).transform((text, context) => {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 0)
    context.addIssue({ code: 'custom', message: `\`${text}\` is not a duration; write it as 0s, 500ms or 10s` });
  return ms ?? 0;
});

const faultName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'a fault is named in lower-case letters, digits and hyphens, such as isolation');
const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a name of lower-case letters, digits and hyphens');

const STEPS = ['inject', 'observe', 'awaitRecovery', 'heal'] as const;

/** One entry of `method`: exactly one of the four; `manifest` belongs to inject. */
export const stepShape = fields({
  inject: faultName.optional(),
  manifest: z.string().min(1).optional(),
  observe: durationMs.optional(),
  awaitRecovery: durationMs.optional(),
  heal: faultName.optional(),
}).transform((raw, context): Step => {
  const named = STEPS.filter((step) => raw[step] !== undefined);
  const wrong = (message: string, path: string[] = []): void => context.addIssue({ code: 'custom', message, path });
  if (named.length !== 1)
    wrong(`a step is exactly one of ${STEPS.join(', ')}; this has ${named.length === 0 ? 'none' : named.join(' and ')}`);
  if (raw.inject !== undefined && raw.manifest === undefined)
    wrong('`manifest` is missing; name the Chaos Mesh manifest to inject', ['inject']);
  if (raw.inject === undefined && raw.manifest !== undefined) wrong('`manifest` belongs to an inject step', ['manifest']);
  if (raw.inject !== undefined) return { do: 'inject', fault: raw.inject, manifest: raw.manifest ?? '' };
  if (raw.heal !== undefined) return { do: 'heal', fault: raw.heal };
  if (raw.awaitRecovery !== undefined) return { do: 'await-recovery', atMostMs: raw.awaitRecovery };
  return { do: 'observe', forMs: raw.observe ?? 0 };
});

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

/** The scenario language. What needs more than one field, or the world, is checked in decode.ts. */
export const scenarioShape: z.ZodType<Scenario> = fields({
  name: label,
  question: z.string().min(1),
  platform: z.enum(['local', 'kubernetes']).default('local'),
  replication: z.enum(['sync', 'async']).default('sync'),
  policy: z.enum(['lab', 'production']).default('lab'),
  seed: z.number().int().nonnegative().nullable().default(null),
  workload: workloadShape.default(DEFAULT_WORKLOAD),
  steady: durationMs,
  method: z.array(stepShape).min(1, 'is empty; at least observe for some time'),
  settle: durationMs,
  expect: fields({
    failover: z.enum(['none', 'one', 'allowed']),
    outage: z.enum(['none', 'expected', 'allowed']),
    loss: z.enum(['none', 'allowed']),
    mustRecover: z.array(label).min(1, 'is empty; name the vantages that the objective is judged on'),
  }),
  targets: fields({
    recoveryTime: durationMs.optional(),
    recoveryPoint: limitMs.optional(),
    lostWrites: z.number().int().nonnegative().optional(),
  }).default({}),
}).transform((raw) => ({
  name: raw.name,
  question: raw.question,
  platform: raw.platform,
  replication: raw.replication,
  policy: raw.policy,
  seed: raw.seed,
  workload: raw.workload,
  steadyMs: raw.steady,
  method: raw.method,
  settleMs: raw.settle,
  expect: { failover: raw.expect.failover, outage: raw.expect.outage, loss: raw.expect.loss, mustRecover: raw.expect.mustRecover },
  targets: {
    recoveryTimeMs: raw.targets.recoveryTime ?? null,
    recoveryPointMs: raw.targets.recoveryPoint ?? null,
    lostWrites: raw.targets.lostWrites ?? null,
  },
}));
