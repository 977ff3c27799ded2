import { z } from 'zod';

const runShape = z.object({ runId: z.string(), from: z.string(), to: z.string().nullable(), step: z.string() });

/** A controller's `GET /v1/status`, as far as the commands read it. */
export const controllerStatusShape = z.object({
  region: z.string(),
  leader: z.string().nullable(),
  state: z.string(),
  step: z.string(),
  primary: z.string().nullable(),
  epoch: z.number(),
  observers: z.record(z.string(), z.object({ verdict: z.string(), ageMs: z.number() })),
  reasons: z.array(z.string()),
  run: runShape.optional(),
  lastFailover: runShape.extend({ epoch: z.number(), startedAt: z.string() }).optional(),
});
export type ControllerAnswer = z.infer<typeof controllerStatusShape>;
