import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ClockReading, PodProcess, ReachabilityCell } from '../../history/event.ts';
import { HarnessError } from '../errors.ts';
import type { LinkWatch, PodProgram, Primitive } from '../platform.ts';
import { BoundedLog } from '../local/bounded-log.ts';
import type { Credentials } from '../local/certificates.ts';
import { readClocks } from '../local/clock-probe.ts';
import { programEnvironment } from '../local/environment.ts';
import { NETNS_FOLDER } from '../local/network.ts';
import { startPodProgram, type PodProgramProcess } from '../local/pod-program.ts';
import { inPod, PODS_FOLDER, type PodPlace } from '../local/pod-view.ts';
import { processesIn } from '../local/reach/processes.ts';
import type { Pair } from '../local/reach/protocol.ts';
import { Reach } from '../local/reach/reach.ts';
import { resolveInLab } from '../local/resolve.ts';
import { unsupported } from '../local/supports.ts';
import { podNamed, podOf, type PodSpec, type Topology } from '../local/topology.ts';
import type { Inside } from './inside.ts';

/**
 * Within a cluster without containers: its pods are network namespaces of the sandbox in which this process runs as well. Shares nothing with
 * the cluster's own process but the kernel.
 */
export class LabInside implements Inside {
  readonly #topology: Topology;
  readonly #dataFolder: string;
  readonly #logs: string;
  readonly #programs = new Set<PodProgramProcess>();
  readonly #files = new Map<string, BoundedLog>();
  #reach: Reach | undefined;

  /** dataFolder: of all pods; logs: where programs of the harness in pods may complain. */
  constructor(topology: Topology, { dataFolder, logs }: { readonly dataFolder: string; readonly logs: string }) {
    this.#topology = topology;
    this.#dataFolder = dataFolder;
    this.#logs = logs;
  }

  supports(primitive: Primitive): true | string {
    return unsupported(this.#topology, primitive) ?? true;
  }

  async start(originNs: bigint, signal: AbortSignal): Promise<void> {
    mkdirSync(this.#logs, { recursive: true });
    this.#reach = await Reach.start(this.#topology.pods.map(withNetnsPath), originNs, signal);
  }

  reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]> {
    return this.#started.reachability(pods, signal);
  }

  watchLinks(pairs: readonly Pair[], periodMs: number): LinkWatch {
    return this.#started.watchLinks(pairs, periodMs);
  }

  processes(pods: readonly string[]): Promise<readonly PodProcess[]> {
    return processesIn(pods.map((name) => withNetnsPath(podNamed(this.#topology, name))));
  }

  clocks(pods: readonly string[], nowMs: () => number): Promise<readonly ClockReading[]> {
    const specs = pods.map((name) => podNamed(this.#topology, name));
    return readClocks(specs, this.#operator(), nowMs);
  }

  resolve(hostName: string, signal: AbortSignal): Promise<readonly string[]> {
    return resolveInLab(podOf(this.#topology, 'dns', 'outside'), hostName, signal);
  }

  runInPod(name: string, program: string, args: readonly string[]): PodProgram {
    const pod = podNamed(this.#topology, name);
    const place: PodPlace = {
      pod,
      root: path.join(PODS_FOLDER, name),
      data: path.join(this.#dataFolder, name),
      runFolder: this.#dataFolder,
    };
    const log = this.#files.get(name) ?? new BoundedLog(path.join(this.#logs, `${name}.log`));
    this.#files.set(name, log);
    const started = startPodProgram(inPod(place, [program, ...args]), programEnvironment(), log);
    this.#programs.add(started);
    return started;
  }

  async close(): Promise<readonly string[]> {
    await Promise.all([...this.#programs].map((program) => program.stop()));
    await this.#reach?.close();
    await Promise.all([...this.#files.values()].map((log) => log.close()));
    return [];
  }

  get #started(): Reach {
    if (this.#reach === undefined) throw new HarnessError('internal', 'the probes are not running');
    return this.#reach;
  }

  /** As its pod has it; the harness speaks to the engine as the operator does. */
  #operator(): Credentials {
    const root = path.join(PODS_FOLDER, podOf(this.#topology, 'operator', 'outside').name, 'tls');
    const [caPem, arbiterCaPem, certPem, keyPem] = ['ca.crt', 'arbiter-ca.crt', 'tls.crt', 'tls.key'].map((file) =>
      readFileSync(path.join(root, file), 'utf8'),
    ) as [string, string, string, string];
    return { caPem, arbiterCaPem, certPem, keyPem };
  }
}

const withNetnsPath = (pod: PodSpec): PodSpec & { readonly netnsPath: string } => ({ ...pod, netnsPath: `${NETNS_FOLDER}/${pod.netns}` });
