import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoundedLog } from '../../local/bounded-log.ts';
import { PODS_FOLDER } from '../../local/pod-view.ts';
import { POD_REPLACEMENT_DELAY_MS } from '../../local/restart-policy.ts';
import { Supervisor } from '../../local/supervisor.ts';
import type { PodSpec } from '../../local/topology.ts';
import type { KubeClient } from '../kube-client.ts';
import type { KubePod } from '../kube-object.ts';
import { ContainerLog } from './container-log.ts';
import { EphemeralContainer } from './ephemeral-container.ts';
import { release } from './pod-release.ts';
import { tellKilling } from './killing-event.ts';
import { planOf } from './pod-service.ts';
import { PodStatus } from './pod-status.ts';

const DEFAULT_GRACE_SECONDS = 30;
const START_AGAIN_MS = 1000;

export interface NodePodEnv {
  readonly client: KubeClient;
  readonly spec: PodSpec;
  /** The folder that holds all pods' data, which pods do not get to see. */
  readonly folder: string;
  readonly logs: string;
  readonly hostIp: string;
  nowMs(): number;
  readonly signal: AbortSignal;
}

/** One Pod object and the process that runs for it. Owner: the node agent; end() kills it. */
export class NodePod {
  readonly pod: KubePod;
  readonly #env: NodePodEnv;
  readonly #status: PodStatus;
  readonly #file: BoundedLog;
  #log = new ContainerLog();
  readonly #ephemeral = new Map<string, EphemeralContainer>();
  #supervisor: Supervisor | undefined;
  #starting: Promise<void>;
  #ended = false;
  #gone: Promise<void> | undefined;

  /** predecessor: the pod that had this name, if any; a new one is not started beside it, and not at once after it. */
  constructor(pod: KubePod, predecessor: NodePod | undefined, env: NodePodEnv) {
    this.pod = pod;
    this.#env = env;
    this.#status = new PodStatus(env.client, pod, env.signal);
    const { spec, hostIp } = env;
    this.#status.addresses = { hostIP: hostIp, podIP: spec.ipv4, podIPs: [{ ip: spec.ipv4 }, { ip: spec.ipv6 }] };
    this.#status.ephemeral = () => [...this.#ephemeral.values()].map(({ status: one }) => one);
    this.#file = new BoundedLog(path.join(env.logs, `${pod.metadata.name}.log`));
    this.#starting = this.#startSometime(predecessor);
  }

  get supervisor(): Supervisor | undefined {
    return this.#supervisor;
  }

  /** Of one of its containers; undefined: it has none of that name, or it has not begun. */
  logOf(container: string): ContainerLog | undefined {
    const [own] = this.pod.spec.containers;
    return container === own?.name ? this.#log : this.#ephemeral.get(container)?.log;
  }

  /** The object as it is now: what was added to its containers is started, once its own is. */
  update({ spec }: KubePod): void {
    for (const container of spec.ephemeralContainers ?? []) {
      if (this.#ephemeral.has(container.name)) continue;
      const added = new EphemeralContainer(container, () => this.#status.changed());
      this.#ephemeral.set(container.name, added);
      void this.#starting.then(() => {
        if (!this.#ended && this.#supervisor !== undefined) added.start(this.#supervisor.place);
      });
    }
  }

  /** For people. */
  describe(): string {
    return `Pod ${this.pod.metadata.uid}${this.#ended ? ', ended' : ''}: ${this.#status.describe()}`;
  }

  /** The object is being deleted: ends the process within its grace period and then lets the object go. */
  terminate(graceSeconds = DEFAULT_GRACE_SECONDS): void {
    void this.end(graceSeconds * 1000).then(() => release(this.pod, this.#env.client, this.#env.signal));
  }

  /** Ends it for good; resolves when its process is gone. Idempotent. */
  end(graceMs: number): Promise<void> {
    this.#gone ??= this.#end(graceMs);
    return this.#gone;
  }

  async #end(graceMs: number): Promise<void> {
    this.#ended = true;
    await this.#starting;
    if (this.#supervisor !== undefined) void tellKilling(this.pod, this.#env.client, this.#env.signal);
    await this.#supervisor?.stop(graceMs);
    await Promise.all([...this.#ephemeral.values()].map((one) => one.kill()));
    this.#log.end();
    await this.#file.close();
  }

  /** As a kubelet: what does not go now is told, and tried again, since an API server that is away comes back. Never rejects. */
  async #startSometime(predecessor: NodePod | undefined): Promise<void> {
    const { signal } = this.#env;
    while (!this.#ended && !signal.aborted) {
      try {
        return await this.#start(predecessor);
      } catch (error) {
        if (!this.#ended) this.#status.refuse(error instanceof Error ? error.message : String(error));
      }
      await sleep(START_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #start(predecessor: NodePod | undefined): Promise<void> {
    const { client, spec, folder, signal } = this.#env;
    const plan = await planOf(this.pod, client);
    if (predecessor !== undefined) {
      await predecessor.end(0);
      await sleep(POD_REPLACEMENT_DELAY_MS, undefined, { signal });
    }
    if (this.#ended) return;
    const root = path.join(PODS_FOLDER, spec.name);
    await Promise.all([mkdir(path.join(root, 'data'), { recursive: true }), mkdir(plan.data, { recursive: true })]);
    for (const file of plan.service.files) {
      const name = path.join(root, file.path);
      await mkdir(path.dirname(name), { recursive: true });
      await rm(name, { force: true });
      await writeFile(name, file.text, { mode: file.secret === true ? 0o600 : file.executable === true ? 0o755 : 0o644 });
    }
    const place = { pod: spec, root, data: plan.data, runFolder: folder };
    this.#supervisor = new Supervisor(place, plan.service, {
      log: { write: (text) => this.#write(text) },
      run: {
        nowMs: () => this.#env.nowMs(),
        record: (event) => {
          if (event.kind === 'engine-log') this.#write(`${JSON.stringify(event.line)}\n`);
          if (event.kind !== 'pod') return;
          if (event.change === 'started') this.#newLog();
          this.#status.onChange(event);
        },
      },
    });
    this.#supervisor.start();
  }

  /** Each container has a log of its own; who follows the old one sees its end. */
  #newLog(): void {
    const old = this.#log;
    this.#log = new ContainerLog();
    old.end();
  }

  #write(text: string): void {
    this.#log.write(text);
    this.#file.write(text);
  }
}
