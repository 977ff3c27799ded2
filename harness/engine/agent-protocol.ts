import { z } from 'zod';

/** What the runner tells the operator's agent. NDJSON on stdin; its end means that the runner is gone. */
export const agentCommandSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('configure'),
    tls: z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }),
    /** The authoritative server is asked for this name every so often, so that what it answers is known from outside. */
    authority: z.strictObject({ address: z.string(), port: z.number().int(), name: z.string(), periodMs: z.number().positive() }),
  }),
  z.strictObject({ type: z.literal('get'), id: z.number().int(), url: z.url(), timeoutMs: z.number().positive() }),
  z.strictObject({ type: z.literal('stop') }),
]);
export type AgentCommand = z.infer<typeof agentCommandSchema>;
export type AgentConfig = Extract<AgentCommand, { type: 'configure' }>;

/** What the agent tells the runner. NDJSON on stdout. */
export const agentReportSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  /** status 0: no answer, `body` says why. */
  z.strictObject({ type: z.literal('answer'), id: z.number().int(), status: z.number().int(), body: z.string() }),
  z.strictObject({ type: z.literal('dns'), addresses: z.array(z.string()) }),
]);
export type AgentReport = z.infer<typeof agentReportSchema>;
