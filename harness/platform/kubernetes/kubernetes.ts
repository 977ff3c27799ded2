import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINE_PORTS } from '../../engine/endpoints.ts';
import type { ClockReading, PodProcess, ReachabilityCell } from '../../history/event.ts';
import { abortable } from '../abortable.ts';
import { HarnessError } from '../errors.ts';
import type { Experiment, Injection, LinkWatch, OwnService, Platform, Pod, PodProgram, Primitive, RunContext } from '../platform.ts';
import { Chaos } from './chaos.ts';
import type { Inside } from './inside.ts';
import { KubeInjection } from './kube-injection.ts';
import { isFinished, PODS, resourcePath, type KubePod } from './kube-object.ts';
import { followLog } from './log-follower.ts';
import { PodNewsReader, pidOf } from './pod-watch.ts';
import { podView } from './pod-view.ts';
import { Reflector, type Seen } from './reflector.ts';
import { rehearse } from './rehearsal.ts';
import { openParts, type Part } from './parts.ts';
import type { SystemFile } from './system-file.ts';

const CLOSE_MS = 10_000;
/** How often, and how long, the end of a process is looked for that nobody waits for. */
const LOOK_MS = 20;
const LOOK_FOR_MS = 10_000;

/** What another game day has broken, or has left broken when it was killed, would be judged as this one's. */
async function refuseOthers(chaos: Chaos, signal: AbortSignal): Promise<void> {
  const [other] = await chaos.owned(undefined, signal);
  if (other === undefined) return;
  const { kind, place, name, run } = other;
  throw new HarnessError(
    'cluster-failed',
    `${kind} ${place.namespace}/${name} of the game day ${run || 'unknown'} is there: wait until that is over, or, where it was killed, gameday chaos heal --platform kubernetes`,
  );
}

/** A system in clusters, by way of their API servers: what a game day may see and do is what `SystemFile` names. */
export class KubernetesPlatform implements Platform {
  readonly kind = 'kubernetes';
  readonly ownService: OwnService | undefined;
  readonly #context: RunContext;
  readonly #inside: Inside;
  readonly #chaos: Chaos;
  readonly #parts: readonly Part[];
  readonly #injections: KubeInjection[] = [];
  readonly #stop = new AbortController();
  readonly #containers = new Map<string, string>();
  #running: Promise<unknown>[] = [];
  #closed: Promise<readonly string[]> | undefined;

  private constructor(system: SystemFile, context: RunContext, inside: Inside, chaos: Chaos, parts: readonly Part[]) {
    this.ownService = system.service;
    this.#context = context;
    this.#inside = inside;
    this.#chaos = chaos;
    this.#parts = parts;
  }

  /** Looks at the clusters and changes nothing. Throws HarnessError: bad-input, cluster-failed (also where another game day has experiments there). */
  static async connect(system: SystemFile, inside: Inside, context: RunContext, signal: AbortSignal): Promise<KubernetesPlatform> {
    const parts = await openParts(system);
    for (const part of parts) {
      const list = await part.client.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, part.namespace), { signal });
      part.pods = list.items;
    }
    const chaos = await Chaos.open(parts, signal);
    const platform = new KubernetesPlatform(system, context, inside, chaos, parts);
    const names = platform.pods().map(({ name }) => name);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    if (twice.length > 0) throw new HarnessError('bad-input', `${system.file}: more than one cluster or namespace has a pod ${twice[0]}`);
    await refuseOthers(chaos, signal);
    return platform;
  }

  /** Throws HarnessError `unsupported` when an experiment could be applied nowhere. */
  refuseUnknownKinds(kinds: readonly string[]): void {
    const missing = this.#chaos.missingOf(kinds);
    if (missing.length === 0) return;
    const contexts = [...new Set(this.#parts.map(({ client }) => client.context))].join(', ');
    throw new HarnessError(
      'unsupported',
      `no cluster of ${contexts} has the kind ${missing.join(', ')}; gameday doctor --platform kubernetes tells what Chaos Mesh is there`,
    );
  }

  /** Asks the clusters, before anything is begun, whether they would take each of these; changes nothing. Throws HarnessError: bad-input, cluster-failed, unsupported. */
  async rehearse(experiments: readonly Experiment[], signal: AbortSignal): Promise<void> {
    for (const one of experiments) await rehearse(one, this.#chaos, this.#run, signal);
  }

  supports(primitive: Primitive): true | string {
    return this.#inside.supports(primitive);
  }

  async start(signal: AbortSignal): Promise<void> {
    const originNs = process.hrtime.bigint() - BigInt(Math.round(this.#context.nowMs() * 1e6));
    await this.#inside.start(originNs, signal);
    await abortable(Promise.all(this.#parts.map((part) => this.#follow(part).synced)), signal);
  }

  pods(): readonly Pod[] {
    return this.#parts.flatMap((part) =>
      part.pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isFinished(pod)).map((pod) => podView(pod, part.region)),
    );
  }

  injection(_: readonly Primitive[], experiments: readonly Experiment[]): Injection {
    const injection = new KubeInjection(experiments, this.#chaos, this.#context, this.#run);
    this.#injections.push(injection);
    return injection;
  }

  reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]> {
    return this.#inside.reachability(pods, signal);
  }

  watchLinks(pairs: readonly { readonly from: string; readonly to: string }[], periodMs: number, onlyAfter?: 'onlyAfter'): LinkWatch {
    return this.#inside.watchLinks(pairs, periodMs, onlyAfter);
  }

  processes(pods: readonly string[]): Promise<readonly PodProcess[]> {
    return this.#inside.processes(pods);
  }

  clocks(pods: readonly string[]): Promise<readonly ClockReading[]> {
    return this.#inside.clocks(pods, () => this.#context.nowMs());
  }

  resolve(hostName: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#inside.resolve(hostName, signal);
  }

  runInPod(pod: string, program: string, args: readonly string[]): PodProgram {
    return this.#inside.runInPod(pod, program, args);
  }

  close(): Promise<readonly string[]> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<readonly string[]> {
    const limit = AbortSignal.timeout(CLOSE_MS);
    const healed = await Promise.allSettled(this.#injections.map((injection) => injection.heal(limit)));
    await Promise.all(this.#injections.map((injection) => injection.close()));
    const problems = healed.flatMap((one) => (one.status === 'rejected' ? [`faults: ${String(one.reason)}`] : []));
    this.#stop.abort(new HarnessError('cluster-failed', 'the platform is closed'));
    await Promise.all(this.#running);
    const left = await this.#chaos.owned(this.#run, limit).catch((error: unknown) => [`nobody could look for leftovers: ${String(error)}`]);
    const inside = await this.#inside.close().catch((error: unknown) => [`probes: ${String(error)}`]);
    return [...problems, ...left.map((one) => (typeof one === 'string' ? one : `left in the cluster: ${one.kind} ${one.name}`)), ...inside];
  }

  get #run(): string {
    return path.basename(this.#context.runFolder);
  }

  #follow(part: Part): Reflector<KubePod> {
    const reader = new PodNewsReader();
    let first = true;
    const onSeen = (seen: Seen<KubePod>): void => {
      part.pods = reflector.objects();
      this.#onPod(part, seen, reader.read(seen, first));
    };
    const reflector: Reflector<KubePod> = new Reflector<KubePod>(part.client, resourcePath(PODS, part.namespace), onSeen);
    void reflector.synced.then(
      () => (first = false),
      () => undefined,
    );
    this.#running.push(reflector.run(this.#stop.signal));
    return reflector;
  }

  #onPod({ client, region: contextRegion, namespace }: Part, { object }: Seen<KubePod>, told: ReturnType<PodNewsReader['read']>): void {
    const { name: pod, region, labels } = podView(object, contextRegion);
    for (const news of told.news) this.#context.record({ kind: 'pod', pod, region, ...news });
    if (told.orphan !== undefined) this.#running.push(this.#lookForEnd(pod, region, told.orphan));
    if (told.began === undefined) return;
    const id = told.began;
    this.#containers.set(pod, id);
    if (this.ownService !== undefined || labels['app'] === undefined || !(labels['app'] in ENGINE_PORTS)) return;
    const container = object.spec.containers[0]?.name ?? '';
    const record = (line: Readonly<Record<string, unknown>>): void => {
      const action = typeof line['action'] === 'string' ? line['action'] : '';
      this.#context.record({ kind: 'engine-log', pod, action, line });
    };
    const isOver = (): boolean => this.#containers.get(pod) !== id;
    this.#running.push(followLog({ client, namespace, pod, container }, record, isOver, this.#stop.signal));
  }

  /** Its object is gone, so no node will say how it ended: the process table does, and that it is not the node's word is the better. */
  async #lookForEnd(pod: string, region: string, pid: number): Promise<void> {
    const { signal } = this.#stop;
    const limitMs = this.#context.nowMs() + LOOK_FOR_MS;
    while (!signal.aborted && this.#context.nowMs() < limitMs) {
      const there = await this.#inside.processes([pod]).catch(() => undefined);
      if (there !== undefined && !there.some((one) => one.pid === pid)) {
        if (pidOf(this.#containers.get(pod)) === pid) this.#containers.delete(pod);
        return this.#context.record({ kind: 'pod', pod, region, change: 'exited', pid, exitCode: null, signal: null });
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
