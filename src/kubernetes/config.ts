import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'a name of Kubernetes: lower case letters, digits, - and .');
const replicas = z.number().int().nonnegative();

/** What `controller --platform kubernetes` needs to know of the cluster it runs in. Names of its pod and namespace come from the downward API. */
const fields = z.strictObject({
  namespace: name,
  /** This pod. */
  pod: name,
  /** Label of all controllers of the region, `key=value`: the Service of the controller selects it and the label of the active one. */
  selector: z
    .string()
    .regex(/^[^=,\s]+=[^=,\s]+$/, 'one label, key=value')
    .default('app=dr-controller'),
  /** The Lease (coordination.k8s.io) by which the controllers of one region agree on which of them is active. */
  lease: name.default('dr-controller'),
  lease_seconds: z.number().int().min(2).max(3600).default(15),
  renew_seconds: z.number().positive().default(2),
  /** Liveness and readiness, plain HTTP. */
  probe_port: z.number().int().min(0).max(65535).default(9080),
  /** Deployments of this region that need other sizes while it is the primary. */
  workloads: z.array(z.strictObject({ deployment: name, primary_replicas: replicas.min(1), standby_replicas: replicas })).default([]),
});

/** A holder may have to try twice: one that renews more seldom loses its Lease again and again, and its region its controller with it. */
export const kubernetesConfigShape = fields.superRefine(({ lease_seconds: lease, renew_seconds: renew }, context) => {
  if (2 * renew <= lease) return;
  context.addIssue({
    code: 'custom',
    path: ['renew_seconds'],
    message: `must be at most half of lease_seconds (${lease}), so that a Lease is renewed in time`,
  });
});
export type KubernetesConfig = z.infer<typeof kubernetesConfigShape>;
export type Workload = KubernetesConfig['workloads'][number];

export const KUBERNETES_SETTINGS: readonly (readonly string[])[] = [
  'namespace',
  'pod',
  'selector',
  'lease',
  'lease_seconds',
  'renew_seconds',
  'probe_port',
].map((field) => [field]);
