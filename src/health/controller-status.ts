import { z } from 'zod';

const runShape = z.object({ runId: z.string(), from: z.string(), to: z.string().nullable(), step: z.string() });

/** The seed's four outward states. */
export const SYSTEM_STATES = ['Normal', 'Degraded', 'Failover', 'Recovery'] as const;
export type SystemState = (typeof SYSTEM_STATES)[number];

/** `GET /v1/status` of a controller. */
export const controllerStatusShape = z.object({
  region: z.string(),
  leader: z.string().nullable(),
  state: z.enum(SYSTEM_STATES),
  step: z.string(),
  primary: z.string().nullable(),
  epoch: z.number(),
  observers: z.record(z.string(), z.object({ verdict: z.string(), ageMs: z.number() })),
  /** Why it is not Normal, for people. */
  reasons: z.array(z.string()).readonly(),
  run: runShape.optional(),
  lastFailover: runShape.extend({ epoch: z.number(), startedAt: z.string() }).optional(),
});
export type ControllerStatus = z.infer<typeof controllerStatusShape>;
