import { setTimeout as sleep } from 'node:timers/promises';
import type { PodChanged } from '../../../history/event.ts';
import { HarnessError } from '../../errors.ts';
import { KILLED } from '../../killed.ts';
import type { KubeClient } from '../kube-client.ts';
import { PODS, resourcePath, type ContainerEnd, type ContainerStatus, type KubePod } from '../kube-object.ts';

const RETRY_MS = 200;
const SIGKILL = 9;
const SIGTERM = 15;

/** How a container is called that is a process of this machine: its process id, so that two witnesses can speak of the same one. */
export const containerId = (pid: number): string => `process://${pid}`;

/**
 * What the node says of one pod. Changes are written in order and the last one wins: while the API server is away nothing is lost but
 * intermediate states, of which the end of a container stays as its last state.
 */
export class PodStatus {
  readonly #client: KubeClient;
  readonly #pod: KubePod;
  readonly #signal: AbortSignal;
  #ready = false;
  #restarts = -1;
  #pid: number | undefined;
  #state: ContainerStatus['state'] = { waiting: { reason: 'ContainerCreating' } };
  #last: ContainerEnd | undefined;
  #dirty = false;
  #writing = false;

  constructor(client: KubeClient, pod: KubePod, signal: AbortSignal) {
    this.#client = client;
    this.#pod = pod;
    this.#signal = signal;
  }

  /** Of containers that were added to the pod while it ran. */
  ephemeral: () => readonly ContainerStatus[] = () => [];

  /** Something that it asks for has another status. */
  changed(): void {
    this.#write();
  }

  /** The pod cannot run here; says why. */
  refuse(message: string): void {
    this.#state = { waiting: { reason: 'CreateContainerConfigError', message } };
    this.#write();
  }

  onChange(event: Pick<PodChanged, 'change' | 'pid' | 'exitCode' | 'signal' | 'restartInMs'>): void {
    switch (event.change) {
      case 'started':
        this.#restarts += 1;
        this.#pid = event.pid;
        this.#state = { running: { startedAt: nodeTime() } };
        break;
      case 'ready':
        this.#ready = true;
        break;
      case 'exited':
        this.#ready = false;
        this.#last = endOf(event, this.#pid);
        this.#state = { terminated: this.#last };
        break;
      case 'restart-scheduled':
        if ((event.restartInMs ?? 0) > 0) this.#state = { waiting: { reason: 'CrashLoopBackOff' } };
        break;
      case 'killed':
      case 'held':
      case 'released':
      case 'frozen':
      case 'thawed':
        return; // nothing that a kubelet would say
    }
    this.#write();
  }

  #write(): void {
    this.#dirty = true;
    if (this.#writing) return;
    this.#writing = true;
    void this.#flush().finally(() => (this.#writing = false));
  }

  async #flush(): Promise<void> {
    while (this.#dirty && !this.#signal.aborted) {
      this.#dirty = false;
      try {
        const { namespace, name } = this.#pod.metadata;
        await this.#client.merge(resourcePath(PODS, namespace, name, 'status'), this.#document(), this.#signal);
      } catch (error) {
        if (error instanceof HarnessError && /: (404|409) /.test(error.message)) return; // this pod is gone, another may have its name
        this.#dirty = true;
        await sleep(RETRY_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }

  /** Of the container, as the API server is told it; for people. */
  describe(): string {
    return JSON.stringify(this.#container());
  }

  #container(): ContainerStatus {
    const [container] = this.#pod.spec.containers;
    return {
      name: container?.name ?? '',
      image: container?.image ?? '',
      imageID: '',
      ready: this.#ready,
      restartCount: Math.max(0, this.#restarts),
      state: this.#state,
      ...(this.#pid === undefined ? {} : { containerID: containerId(this.#pid) }),
      ...(this.#last === undefined ? {} : { lastState: { terminated: this.#last } }),
    };
  }

  #document(): object {
    const ready = this.#ready ? 'True' : 'False';
    const conditions = [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Initialized', status: 'True' },
      { type: 'ContainersReady', status: ready },
      { type: 'Ready', status: ready },
    ];
    const phase = this.#restarts < 0 ? 'Pending' : 'Running';
    // The uid keeps a late word about this pod from a new one of the same name: the server answers 409.
    const { uid } = this.#pod.metadata;
    const ephemeral = this.ephemeral();
    const added = ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral };
    return { metadata: { uid }, status: { phase, conditions, containerStatuses: [this.#container()], ...added, ...this.addresses } };
  }

  /** Set by the node, which knows its network. */
  addresses: { readonly hostIP?: string; readonly podIP?: string; readonly podIPs?: readonly { readonly ip: string }[] } = {};
}

function endOf({ exitCode, signal }: Pick<PodChanged, 'exitCode' | 'signal'>, pid: number | undefined): ContainerEnd {
  const number = signal === 'SIGKILL' ? SIGKILL : signal === 'SIGTERM' ? SIGTERM : undefined;
  return {
    exitCode: exitCode ?? (number === undefined ? 1 : KILLED),
    reason: exitCode === 0 ? 'Completed' : 'Error',
    finishedAt: nodeTime(),
    ...(number === undefined ? {} : { signal: number }),
    ...(pid === undefined ? {} : { containerID: containerId(pid) }),
  };
}

/** Kubernetes' times have no fractions. */
export const nodeTime = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
