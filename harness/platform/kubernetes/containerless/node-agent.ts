import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../../errors.ts';
import type { Supervisor } from '../../local/supervisor.ts';
import type { Topology } from '../../local/topology.ts';
import { PODS, resourcePath, type KubePod } from '../kube-object.ts';
import { Reflector, type Seen } from '../reflector.ts';
import type { Identities } from './identities.ts';
import { serveLogs } from './kubelet-server.ts';
import { nodeObject, nodesOf } from './lab-objects.ts';
import { NodePod, type NodePodEnv } from './node-pod.ts';
import { release } from './pod-release.ts';

const NODES = { apiVersion: 'v1', resource: 'nodes' };
const NAMESPACES = { apiVersion: 'v1', resource: 'namespaces' };
const LEASES = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases' };
const LEASE_NAMESPACE = 'kube-node-lease';
const HEARTBEAT_MS = 10_000;
const LEASE_SECONDS = 40;

export interface NodeAgentOptions extends Omit<NodePodEnv, 'spec' | 'signal'> {
  readonly topology: Topology;
  readonly identities: Identities;
}

/**
 * What the kubelets of all nodes do, in one process: runs the pods that are bound to them as programs of the lab, tells how they are, serves
 * their logs, ends them with their grace period. A pod whose name the lab has no place for stays pending and says so. Owner: the cluster.
 */
export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #stop = new AbortController();
  readonly #byUid = new Map<string, NodePod>();
  readonly #byName = new Map<string, NodePod>();
  #server: Server | undefined;
  #running: readonly Promise<void>[] = [];

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  /** Resolves when the nodes are there and pods are being watched. */
  async start(signal: AbortSignal): Promise<void> {
    const { client, identities, hostIp, topology } = this.#options;
    this.#server = await serveLogs(identities, hostIp, (name, container) => this.#byName.get(name)?.logOf(container));
    const { port } = this.#server.address() as { port: number };
    // The API server makes it as well, a moment after it says that it is ready.
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: LEASE_NAMESPACE } };
    await client.apply(resourcePath(NAMESPACES, undefined, LEASE_NAMESPACE), namespace, signal);
    for (const name of nodesOf(topology)) await this.#addNode(name, port, signal);
    const pods = new Reflector<KubePod>(client, resourcePath(PODS), (seen) => this.#onPod(seen), {});
    this.#running = [pods.run(this.#stop.signal), this.#heartbeat()];
    await pods.synced;
  }

  /** Who keeps this pod's program running. Throws HarnessError `lab-failed` when nothing runs for it yet. */
  supervisor(name: string): Supervisor {
    const supervisor = this.#byName.get(name)?.supervisor;
    if (supervisor === undefined) throw new HarnessError('lab-failed', `nothing runs for the pod ${name}`);
    return supervisor;
  }

  /** What the node knows of the pod of that name; for people. */
  statusOf(name: string): string {
    return this.#byName.get(name)?.describe() ?? 'the node has seen no such Pod';
  }

  /** Ends every program; resolves when all are gone. */
  async close(graceMs: number): Promise<void> {
    this.#stop.abort(new HarnessError('lab-failed', 'the node agent is closed'));
    await Promise.all([...this.#byUid.values()].map((pod) => pod.end(graceMs)));
    this.#server?.closeAllConnections();
    this.#server?.close();
    await Promise.all(this.#running);
  }

  #onPod({ change, object }: Seen<KubePod>): void {
    const { uid = '', deletionTimestamp } = object.metadata;
    const known = this.#byUid.get(uid);
    if (change === 'gone') return void (known !== undefined && this.#forget(uid, known));
    if (known === undefined) this.#run(object);
    else if (deletionTimestamp !== undefined) known.terminate(object.metadata.deletionGracePeriodSeconds);
    else known.update(object);
  }

  #run(pod: KubePod): void {
    const { topology, client, folder, logs, hostIp, nowMs } = this.#options;
    const { name, uid = '', deletionTimestamp } = pod.metadata;
    const spec = topology.pods.find((one) => one.name === name);
    if (spec === undefined || !nodesOf(topology).includes(pod.spec.nodeName ?? '')) return;
    // Made and deleted while nobody could look: nothing runs for it, but its name is free only when the node says so.
    if (deletionTimestamp !== undefined) return void release(pod, client, this.#stop.signal);
    const running = new NodePod(pod, this.#byName.get(name), { client, folder, logs, hostIp, nowMs, spec, signal: this.#stop.signal });
    this.#byUid.set(uid, running);
    this.#byName.set(name, running);
    running.update(pod);
  }

  /** Killed outright: the object is gone already, and nobody waits for a grace period. It stays known by name until its successor is there. */
  #forget(uid: string, pod: NodePod): void {
    void pod.end(0);
    this.#byUid.delete(uid);
  }

  async #addNode(name: string, kubeletPort: number, signal: AbortSignal): Promise<void> {
    const { client, hostIp } = this.#options;
    await client.apply(resourcePath(NODES, undefined, name), nodeObject(name), signal);
    const heartbeat = new Date().toISOString();
    const status = {
      addresses: [{ type: 'InternalIP', address: hostIp }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
      capacity: { pods: '110' },
      allocatable: { pods: '110' },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'NodeAgentReady', message: 'pods are processes here', lastHeartbeatTime: heartbeat },
      ],
    };
    await client.merge(resourcePath(NODES, undefined, name, 'status'), { status }, signal);
    await this.#renew(name, signal);
  }

  async #heartbeat(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(HEARTBEAT_MS, undefined, { signal }).catch(() => undefined);
      // One that fails is followed by the next; the controller manager takes a node for dead after forty seconds.
      await Promise.allSettled(signal.aborted ? [] : nodesOf(this.#options.topology).map((name) => this.#renew(name, signal)));
    }
  }

  async #renew(name: string, signal: AbortSignal): Promise<void> {
    const renewTime = new Date().toISOString().replace('Z', '000Z'); // a MicroTime
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: LEASE_NAMESPACE },
      spec: { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
    };
    await this.#options.client.apply(resourcePath(LEASES, LEASE_NAMESPACE, name), lease, signal);
  }
}
