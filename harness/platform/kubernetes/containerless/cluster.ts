import { randomBytes, randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind } from '../../../fault/fault.ts';
import { abortable } from '../../abortable.ts';
import { HarnessError } from '../../errors.ts';
import type { Injection, Primitive } from '../../platform.ts';
import { makeCertificates, type Credentials } from '../../local/certificates.ts';
import { unconfinedServers } from '../../local/confinement.ts';
import { programEnvironment } from '../../local/environment.ts';
import { fakeClockEnvironment } from '../../local/fake-clock.ts';
import { LocalInjection } from '../../local/injection.ts';
import type { LocalOptions } from '../../local/local.ts';
import { makeNetwork, removeNetwork } from '../../local/network.ts';
import { Nft } from '../../local/nft.ts';
import { resolveInLab } from '../../local/resolve.ts';
import { untilServing } from '../../local/serves.ts';
import { POD_ROOT, type LabSettings } from '../../local/services.ts';
import { NAMESPACE, podOf, type PodSpec, type Topology } from '../../local/topology.ts';
import { KubeClient } from '../kube-client.ts';
import { condition, PODS, resourcePath, type KubePod } from '../kube-object.ts';
import { needBinaries } from './binaries.ts';
import { ChaosController } from './chaos-controller.ts';
import { CONTROL_PLANE_FOLDER, removeClusterFiles } from './cluster-files.ts';
import { ControlPlane } from './control-plane.ts';
import { CHAOS_API, chaosDefinitions, resourceOf } from './crds.ts';
import { clusterTopology, gamedayRole, namespaceObject, podObjects } from './lab-objects.ts';
import { NodeAgent } from './node-agent.ts';
import { notReady, podLogs } from './not-ready.ts';

const STOP_GRACE_MS = 1000;
const POLL_MS = 50;

export interface ClusterOptions extends LocalOptions {
  /** For data, logs and what the cluster says. */
  readonly folder: string;
  readonly kinds: readonly FaultKind[];
  readonly nowMs: () => number;
  readonly note: (message: string) => void;
  /** Names of experiments that the chaos controller only claims to perform. */
  readonly onlyClaims?: readonly string[] | undefined;
}

const CLAIMED: Injection = {
  apply: () => Promise.resolve({ requestedMs: 0, acknowledgedMs: 0 }),
  heal: () => Promise.resolve({ requestedMs: 0, acknowledgedMs: 0 }),
};

/**
 * The lab of ARCHITECTURE §2 as a cluster without containers: the real control plane, the lab's pods as objects in it, and what makes them
 * processes and faults. Must be made inside a prepared sandbox. Owner: whoever called start; close() takes all of it away.
 */
export class ContainerlessCluster {
  readonly topology: Topology;
  readonly #options: ClusterOptions;
  #nft: Nft | undefined;
  #plane: ControlPlane | undefined;
  #agent: NodeAgent | undefined;
  #chaos: ChaosController | undefined;

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.topology = clusterTopology(options.controllersPerRegion ?? 1);
  }

  /** Resolves when the engine serves. Throws HarnessError: missing-tool, cluster-failed, lab-failed. */
  static async start(options: ClusterOptions, signal: AbortSignal): Promise<ContainerlessCluster> {
    const cluster = new ContainerlessCluster(options);
    try {
      await cluster.#start(signal);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Of the game day: one context a region, all of this one cluster. */
  get kubeconfig(): string {
    return this.#running(this.#plane).kubeconfigFile('gameday');
  }

  get controlPlane(): ControlPlane {
    return this.#running(this.#plane);
  }

  async close(): Promise<void> {
    await this.#chaos?.close().catch(() => undefined); // what it could not take back goes with the sandbox
    await this.#agent?.close(STOP_GRACE_MS);
    await this.#plane?.close();
    await this.#nft?.close();
    await removeNetwork(this.topology).catch(() => undefined);
    await removeClusterFiles(this.topology, this.#dataFolder);
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { folder } = this.#options;
    const binaries = needBinaries();
    await removeClusterFiles(this.topology, this.#dataFolder); // one that was killed could not
    const [credentials, nft, programs] = await Promise.all([
      makeCertificates(this.topology.pods, new Date()),
      Nft.start(),
      unconfinedServers(),
      makeNetwork(this.topology, signal),
    ]);
    this.#nft = nft;
    const logs = path.join(folder, 'cluster');
    const places = { host: this.topology.bridge.ipv4, folder: CONTROL_PLANE_FOLDER, logs };
    this.#plane = await ControlPlane.start({ binaries, ...places, contexts: this.topology.regions }, signal);
    const client = await KubeClient.open(this.#plane.kubeconfigFile('cluster'), this.topology.primaryRegion);
    await this.#define(client, signal);
    this.#agent = await this.#startAgent(client, signal);
    this.#chaos = this.#startChaos(client);
    await Promise.all([this.#chaos.start(), this.#deploy(client, credentials, { programs }, signal)]);
    const operator = credentials.get(podOf(this.topology, 'operator', 'outside').name);
    if (operator === undefined) throw new HarnessError('internal', 'the operator has no certificate');
    await untilServing(this.topology, operator, signal);
  }

  async #define(client: KubeClient, signal: AbortSignal): Promise<void> {
    const definitions = { apiVersion: 'apiextensions.k8s.io/v1', resource: 'customresourcedefinitions' };
    await client.apply(resourcePath({ apiVersion: 'v1', resource: 'namespaces' }, undefined, 'coditect'), namespaceObject(), signal);
    for (const definition of chaosDefinitions(this.#options.kinds)) {
      const { name } = (definition as unknown as { metadata: { name: string } }).metadata;
      await client.apply(resourcePath(definitions, undefined, name), definition, signal);
    }
    const rbac = 'rbac.authorization.k8s.io/v1';
    for (const object of gamedayRole()) {
      const { namespace, name } = object.metadata;
      await client.apply(
        resourcePath({ apiVersion: rbac, resource: `${String(object.kind).toLowerCase()}s` }, namespace, name),
        object,
        signal,
      );
    }
    // A kind that was just defined is served a moment later.
    for (const kind of new Set(this.#options.kinds.map((one) => one.kind))) {
      const resource = { apiVersion: CHAOS_API, resource: resourceOf(kind) };
      while ((await client.ask('GET', resourcePath(resource), { signal })).status !== 200) await sleep(POLL_MS, undefined, { signal });
    }
  }

  async #startAgent(client: KubeClient, signal: AbortSignal): Promise<NodeAgent> {
    const { folder, nowMs } = this.#options;
    const logs = podLogs(folder);
    await mkdir(logs, { recursive: true });
    const { identities } = this.#running(this.#plane);
    const agent = new NodeAgent({
      client,
      topology: this.topology,
      identities,
      folder: this.#dataFolder,
      logs,
      hostIp: this.topology.bridge.ipv4,
      nowMs,
    });
    await agent.start(signal);
    return agent;
  }

  #startChaos(client: KubeClient): ChaosController {
    const { kinds, note } = this.#options;
    return new ChaosController({
      client,
      kinds,
      note,
      injection: (id, primitives, experiment) =>
        this.#options.onlyClaims?.includes(experiment) === true ? CLAIMED : this.#injection(id, primitives),
      resolve: (host, signal) => resolveInLab(podOf(this.topology, 'dns', 'outside'), host, signal),
      random: () => randomInt(2 ** 31),
    });
  }

  #injection(name: string, primitives: readonly Primitive[]): Injection {
    return new LocalInjection(name, primitives, {
      topology: this.topology,
      nft: this.#running(this.#nft),
      nowMs: this.#options.nowMs,
      supervisor: (pod) => this.#running(this.#agent).supervisor(pod),
    });
  }

  /** The system under test, as objects that the control plane makes pods of; resolves when all are ready. */
  async #deploy(
    client: KubeClient,
    credentials: ReadonlyMap<string, Credentials>,
    { programs }: Pick<LabSettings, 'programs'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { replication, policy, engineMain, movableClocks } = this.#options;
    const settings: LabSettings = {
      replication,
      policy,
      programs,
      backupKeys: null,
      engineMain: path.resolve(engineMain ?? path.resolve(import.meta.dirname, '../../../../src/main.js')),
      tsigSecret: randomBytes(32).toString('base64'),
      environment: programEnvironment(),
      engineEnvironment: movableClocks === true ? fakeClockEnvironment(POD_ROOT) : {},
    };
    const dataOf = (pod: PodSpec): string => path.join(this.#dataFolder, pod.name);
    const objects = podObjects(this.topology, settings, { credentials, dataOf });
    const resources: Readonly<Record<string, string>> = { ConfigMap: 'configmaps', Secret: 'secrets', StatefulSet: 'statefulsets' };
    for (const kind of Object.keys(resources)) {
      const ofKind = objects.filter((object) => object.kind === kind);
      const applied = ofKind.map(async (object) => {
        const { namespace, name } = object.metadata;
        const resource = { apiVersion: object.apiVersion ?? 'v1', resource: resources[kind] ?? '' };
        await client.apply(resourcePath(resource, namespace, name), object, signal);
      });
      await Promise.all(applied);
    }
    await abortable(this.#allReady(client, signal), signal, () => this.#notReady());
  }

  /** As the node has them, and then as the API server knows them: whoever asks it next sees every pod with its addresses. */
  async #allReady(client: KubeClient, signal: AbortSignal): Promise<void> {
    while (!this.topology.pods.every((pod) => this.#isReady(pod))) await sleep(POLL_MS, undefined, { signal });
    for (;;) {
      const { items } = await client.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, NAMESPACE), { signal });
      const ready = items.filter((pod) => condition(pod, 'Ready')).map(({ metadata }) => metadata.name);
      if (this.topology.pods.every(({ name }) => ready.includes(name))) return;
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  #isReady(pod: PodSpec): boolean {
    try {
      return this.#running(this.#agent).supervisor(pod.name).isReady;
    } catch {
      return false; // its object is not there yet
    }
  }

  #notReady(): HarnessError {
    const waiting = this.topology.pods.filter((pod) => !this.#isReady(pod)).map(({ name }) => name);
    return notReady(waiting, (name) => this.#running(this.#agent).statusOf(name), this.#options.folder);
  }

  /** Pods see their own part of it only. */
  get #dataFolder(): string {
    return path.join(this.#options.folder, 'lab');
  }

  #running<T>(part: T | undefined): T {
    if (part === undefined) throw new HarnessError('internal', 'the cluster is not running');
    return part;
  }
}
