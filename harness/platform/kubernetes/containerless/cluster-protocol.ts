import { z } from 'zod';

/** What the cluster's process is told, as its only argument. */
export const orderSchema = z.object({
  folder: z.string(),
  replication: z.enum(['sync', 'async']),
  policy: z.enum(['lab', 'production']),
  controllersPerRegion: z.union([z.literal(1), z.literal(2)]),
  movableClocks: z.boolean(),
  engineMain: z.string().optional(),
  /** Names of experiments that the chaos controller only claims to perform: a Chaos Mesh that lies, for whoever should notice. */
  onlyClaims: z.array(z.string()).default([]),
  /** Kinds that it has beside those that the lab does: it can only claim them. */
  claimableKinds: z.array(z.string()).default([]),
});
export type ClusterOrder = z.input<typeof orderSchema>;

/** What it says on its stdout, a JSON object a line. */
export const wordSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), systemFile: z.string(), kubeconfig: z.string(), apiServerPid: z.number(), tookMs: z.number() }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
  z.object({ type: z.literal('note'), message: z.string() }),
]);
export type ClusterWord = z.infer<typeof wordSchema>;
