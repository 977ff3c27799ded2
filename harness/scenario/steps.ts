import { z } from 'zod';
import { backupStepShape, isBackupStep } from './backup-shape.ts';
import { complain } from './complain.ts';
import { durationMs } from './duration.ts';
import type { Step } from './scenario.ts';
import { fields } from './yaml-decode.ts';

export const faultName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'a fault is named in lower-case letters, digits and hyphens, such as isolation');

const STEPS = ['inject', 'arm', 'observe', 'awaitRecovery', 'heal', 'order'] as const;
/** Fields that belong to one or two kinds of step. */
const BELONGS: Readonly<Record<string, readonly (typeof STEPS)[number][]>> = {
  manifest: ['inject', 'arm'],
  at: ['arm'],
  exits: ['order'],
  within: ['order'],
};
const ORDER_WITHIN_MS = 30_000;

/** What `coditect-dr` may be told in the operator's pod: words, no shell. */
const ORDERS = ['failover', 'switchover', 'failback', 'approve', 'pause', 'resume', 'acknowledge', 'status', 'history', 'pair'] as const;
const order = z
  .string()
  .transform((text) => text.trim().split(/\s+/))
  .refine((words) => ORDERS.some((name) => name === words[0]), `an order begins with one of ${ORDERS.join(', ')}`)
  .refine((words) => words.every((word) => /^[\w.:,=@/-]+$/.test(word)), 'an order is words; there is no shell to quote for');

const shape = {
  inject: faultName.optional(),
  arm: faultName.optional(),
  manifest: z.string().min(1).optional(),
  at: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/, 'is the action of a line of the engine log, such as epoch_acquired')
    .optional(),
  observe: durationMs.optional(),
  awaitRecovery: durationMs.optional(),
  heal: faultName.optional(),
  order: order.optional(),
  exits: z.int().min(0).max(255).optional(),
  within: durationMs.optional(),
};

const systemStepShape = fields(shape).transform((raw, context): Step => {
  const wrong = (message: string, path: string[] = []): void => context.addIssue({ code: 'custom', message, path });
  const named = STEPS.filter((step) => raw[step] !== undefined);
  if (named.length !== 1)
    wrong(`a step is exactly one of ${STEPS.join(', ')}, or repeat; this has ${named.length === 0 ? 'none' : named.join(' and ')}`);
  for (const [field, steps] of Object.entries(BELONGS))
    if (raw[field as 'at'] !== undefined && !steps.some((step) => raw[step] !== undefined))
      wrong(`\`${field}\` belongs to ${steps.join(' or ')}`, [field]);
  const manifest = raw.manifest ?? '';
  for (const step of ['inject', 'arm'] as const)
    if (raw[step] !== undefined && raw.manifest === undefined)
      wrong('`manifest` is missing; name the Chaos Mesh manifest to inject', [step]);
  if (raw.arm !== undefined && raw.at === undefined) wrong('`at` is missing; name the line of the engine log that sets it off', ['arm']);
  if (raw.inject !== undefined) return { do: 'inject', fault: raw.inject, manifest };
  if (raw.arm !== undefined) return { do: 'arm', fault: raw.arm, manifest, at: raw.at ?? '' };
  if (raw.heal !== undefined) return { do: 'heal', fault: raw.heal };
  if (raw.awaitRecovery !== undefined) return { do: 'await-recovery', atMostMs: raw.awaitRecovery };
  if (raw.order !== undefined) return { do: 'order', args: raw.order, exits: raw.exits ?? 0, atMostMs: raw.within ?? ORDER_WITHIN_MS };
  return { do: 'observe', forMs: raw.observe ?? 0 };
});

/** One entry of `method` that does something. */
export const stepShape = z.unknown().transform((raw, context): Step => {
  const result = isBackupStep(raw)
    ? backupStepShape.safeParse(raw, { error: complain })
    : systemStepShape.safeParse(raw, { error: complain });
  if (result.success) return result.data;
  passOn(result.error, raw, context);
  return z.NEVER;
});

/** As they are: the decoder reads their codes and paths. */
function passOn(error: z.ZodError, input: unknown, context: z.core.$RefinementCtx): void {
  for (const issue of error.issues) context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
}

const MOST_REPEATS = 200;
const repeatShape = fields({ repeat: z.int().min(1).max(MOST_REPEATS), steps: z.array(stepShape).min(1, 'is empty') });

/** `method`: steps, and groups of steps that are played several times; the faults of a group are then `name-1`, `name-2`, … */
export const methodShape = z
  .array(
    z.unknown().transform((raw, context): readonly Step[] => {
      const isGroup = typeof raw === 'object' && raw !== null && 'repeat' in raw;
      const result = isGroup ? repeatShape.safeParse(raw, { error: complain }) : stepShape.safeParse(raw, { error: complain });
      if (!result.success) {
        passOn(result.error, raw, context);
        return z.NEVER;
      }
      return 'repeat' in result.data ? repeated(result.data.steps, result.data.repeat) : [result.data];
    }),
  )
  .min(1, 'is empty; at least observe for some time')
  .transform((steps) => steps.flat());

function repeated(steps: readonly Step[], times: number): readonly Step[] {
  return Array.from({ length: times }, (_, round) =>
    steps.map((step) => ('fault' in step ? { ...step, fault: roundName(step.fault, round + 1) } : step)),
  ).flat();
}

/** What a fault of a repeated group is called in its n-th round. */
export function roundName(fault: string, round: number): string {
  return `${fault}-${round}`;
}

/** A step as it is written, where it stands, and how often it is played (null: outside of a group). */
export interface WrittenStep {
  readonly raw: unknown;
  readonly path: readonly PropertyKey[];
  readonly rounds: number | null;
}

/** Every step of a method that may be wrong in other places. */
export function writtenSteps(method: readonly unknown[]): readonly WrittenStep[] {
  return method.flatMap((raw, index): WrittenStep[] => {
    const { repeat, steps } = (raw ?? {}) as { repeat?: unknown; steps?: unknown };
    if (repeat === undefined) return [{ raw, path: ['method', index], rounds: null }];
    if (typeof repeat !== 'number' || !(repeat <= MOST_REPEATS) || !Array.isArray(steps)) return [];
    return (steps as unknown[]).map((inner, at) => ({ raw: inner, path: ['method', index, 'steps', at], rounds: repeat }));
  });
}
