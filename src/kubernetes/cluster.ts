import {
  ApiException,
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
  type V1Deployment,
  type V1Lease,
} from '@kubernetes/client-node';
import { bounded } from '../platform/abort.ts';
import { EngineError } from '../platform/errors.ts';
import type { KubernetesConfig } from './config.ts';
import type { LeaseView } from './election.ts';
import type { DeploymentView } from './workload-plan.ts';

const CALL_MS = 5000;
export const ACTIVE = 'dr.coditect.com/active';
const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/**
 * The few calls that a controller makes to the API server of its own cluster; credentials are the pod's service account (or KUBECONFIG outside). Each is bounded. Of what
 * goes wrong only conflicts are an outcome; all else throws EngineError `kubernetes-failed` with the server's own words.
 */
export class Cluster {
  readonly #namespace: string;
  readonly #leaseName: string;
  readonly #leaseSeconds: number;
  readonly #selector: string;
  readonly #leases: CoordinationV1Api;
  readonly #apps: AppsV1Api;
  readonly #core: CoreV1Api;
  #lease: V1Lease | null = null;

  constructor(config: KubernetesConfig) {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromDefault();
    if (kubeConfig.getCurrentCluster() === null)
      throw new EngineError('bad-config', 'no cluster: run in a pod with a service account, or set KUBECONFIG');
    this.#namespace = config.namespace;
    this.#leaseName = config.lease;
    this.#leaseSeconds = config.lease_seconds;
    this.#selector = config.selector;
    this.#leases = kubeConfig.makeApiClient(CoordinationV1Api);
    this.#apps = kubeConfig.makeApiClient(AppsV1Api);
    this.#core = kubeConfig.makeApiClient(CoreV1Api);
  }

  /** null: there is none yet. */
  async readLease(signal?: AbortSignal): Promise<LeaseView | null> {
    const lease = await this.#call(
      'read the Lease',
      signal,
      () => this.#leases.readNamespacedLease({ name: this.#leaseName, namespace: this.#namespace }),
      404,
    );
    this.#lease = lease;
    return lease === null ? null : { version: lease.metadata?.resourceVersion ?? '', holder: lease.spec?.holderIdentity || null };
  }

  /** Writes over the Lease that was read last (creates it where there was none). false: somebody else was quicker. */
  async writeLease(holder: string | null, nowWall: Date, transition: boolean, signal?: AbortSignal): Promise<boolean> {
    const before = this.#lease;
    const now = new V1MicroTime(nowWall.getTime());
    const spec = {
      leaseDurationSeconds: this.#leaseSeconds,
      renewTime: now,
      acquireTime: transition || before === null ? now : (before.spec?.acquireTime ?? now),
      leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (transition ? 1 : 0),
      ...(holder === null ? {} : { holderIdentity: holder }),
    };
    const at = { name: this.#leaseName, namespace: this.#namespace };
    const metadata = {
      ...at,
      ...(before?.metadata?.resourceVersion === undefined ? {} : { resourceVersion: before.metadata.resourceVersion }),
    };
    const body: V1Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    const written = await this.#call(
      'write the Lease',
      signal,
      () =>
        before === null
          ? this.#leases.createNamespacedLease({ namespace: this.#namespace, body })
          : this.#leases.replaceNamespacedLease({ ...at, body }),
      409,
    );
    if (written !== null) this.#lease = written;
    return written !== null;
  }

  /** Labels this pod as the active one, and no other. */
  async markActive(pod: string, signal?: AbortSignal): Promise<void> {
    const labelled = { namespace: this.#namespace, labelSelector: `${this.#selector},${ACTIVE}=true` };
    const { items } = await this.#must('list the controllers', signal, () => this.#core.listNamespacedPod(labelled));
    for (const other of items.map((item) => item.metadata?.name ?? '')) if (other !== pod) await this.#label(other, null, signal);
    if (!items.some((item) => item.metadata?.name === pod)) await this.#label(pod, 'true', signal);
  }

  async unmarkActive(pod: string, signal?: AbortSignal): Promise<void> {
    await this.#label(pod, null, signal);
  }

  async readDeployment(name: string, signal?: AbortSignal): Promise<DeploymentView> {
    return viewOf(
      await this.#must(`read Deployment ${name}`, signal, () => this.#apps.readNamespacedDeployment({ name, namespace: this.#namespace })),
    );
  }

  /** Patches what was read at that version and reads back what the server made of it; null: it has changed since. */
  async patchDeployment(
    name: string,
    version: string,
    { annotations, replicas }: { readonly annotations: Readonly<Record<string, string>>; readonly replicas: number },
    signal?: AbortSignal,
  ): Promise<DeploymentView | null> {
    const body = { metadata: { resourceVersion: version, annotations }, spec: { replicas } };
    const patched = await this.#call(
      `patch Deployment ${name}`,
      signal,
      () => this.#apps.patchNamespacedDeployment({ name, namespace: this.#namespace, body }, mergePatch),
      409,
    );
    return patched === null ? null : viewOf(patched);
  }

  async #label(pod: string, value: string | null, signal?: AbortSignal): Promise<void> {
    const body = { metadata: { labels: { [ACTIVE]: value } } };
    await this.#call(
      `label pod ${pod}`,
      signal,
      () => this.#core.patchNamespacedPod({ name: pod, namespace: this.#namespace, body }, mergePatch),
      404,
    );
  }

  async #must<T>(what: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    const answer = await this.#call(what, signal, call);
    if (answer === null) throw new EngineError('internal', `${what}: no answer`);
    return answer;
  }

  /** null for the one status that is an outcome here. */
  async #call<T>(what: string, signal: AbortSignal | undefined, call: () => Promise<T>, outcome?: number): Promise<T | null> {
    const asError = (error: unknown, timedOut: boolean): Error =>
      error instanceof ApiException && error.code === outcome
        ? error
        : new EngineError('kubernetes-failed', `${what}: ${timedOut ? `no answer in ${CALL_MS} ms` : reasonOf(error)}`, error);
    try {
      return await bounded({ timeoutMs: CALL_MS, signal, asError }, call);
    } catch (error) {
      if (error instanceof ApiException && error.code === outcome) return null;
      throw error;
    }
  }
}

function viewOf({ metadata, spec, status }: V1Deployment): DeploymentView {
  return {
    version: metadata?.resourceVersion ?? '',
    annotations: metadata?.annotations ?? {},
    replicas: spec?.replicas ?? 1,
    observed: (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
    readyReplicas: status?.readyReplicas ?? 0,
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ApiException))
    return error instanceof Error ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ''}` : String(error);
  const body: unknown = error.body;
  try {
    const { message } = JSON.parse(String(body)) as { message?: unknown };
    if (typeof message === 'string') return `${error.code}: ${message}`;
  } catch {
    // not a Status of the API server: a proxy's page
  }
  return `status ${error.code}`;
}
