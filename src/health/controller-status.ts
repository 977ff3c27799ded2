import { z } from 'zod';

const runShape = z.object({
  runId: z.string(),
  /** automatic, switchover, failback, failover or forced. */
  tier: z.string(),
  from: z.string(),
  to: z.string().nullable(),
  target: z.string().nullable(),
  step: z.string(),
});

/** What AWAIT_APPROVAL waits for. */
const awaitingShape = z.object({ blocker: z.string(), reason: z.string(), estimatedLossSeconds: z.number().nullable() });
const pausedShape = z.object({ by: z.string(), why: z.string(), since: z.string(), until: z.string().nullable() });

/** The seed's four outward states. */
export const SYSTEM_STATES = ['Normal', 'Degraded', 'Failover', 'Recovery'] as const;
export type SystemState = (typeof SYSTEM_STATES)[number];

/** `GET /v1/status` of a controller. */
export const controllerStatusShape = z.object({
  region: z.string(),
  leader: z.string().nullable(),
  /** This very controller leads; a region may have several. */
  leads: z.boolean(),
  state: z.enum(SYSTEM_STATES),
  step: z.string(),
  primary: z.string().nullable(),
  epoch: z.number(),
  observers: z.record(z.string(), z.object({ verdict: z.string(), ageMs: z.number() })),
  /** Why it is not Normal, for people. */
  reasons: z.array(z.string()).readonly(),
  /** No failover begins by itself. */
  paused: pausedShape.optional(),
  awaiting: awaitingShape.optional(),
  run: runShape.optional(),
  lastFailover: runShape.extend({ epoch: z.number(), startedAt: z.string(), because: z.string().nullable() }).optional(),
});
export type ControllerStatus = z.infer<typeof controllerStatusShape>;
