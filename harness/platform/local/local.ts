import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClockReading, PodProcess, ReachabilityCell } from '../../history/event.ts';
import { abortable } from '../abortable.ts';
import { HarnessError } from '../errors.ts';
import type { Injection, LinkWatch, Platform, Pod, PodProgram, Primitive, RunContext } from '../platform.ts';
import { LocalBackups } from './backup-ground.ts';
import { newBackupKeys } from './backup-config.ts';
import { BoundedLog } from './bounded-log.ts';
import { makeCertificates, type Credentials } from './certificates.ts';
import { readClocks } from './clock-probe.ts';
import { unconfinedServers } from './confinement.ts';
import type { EngineSettings } from './engine-config.ts';
import { labDatabase, type LabDatabaseServers } from './foundationdb-pair.ts';
import { programEnvironment } from './environment.ts';
import { fakeClockEnvironment } from './fake-clock.ts';
import { LocalInjection } from './injection.ts';
import { leftovers, takeInventory, type Inventory } from './leftovers.ts';
import { makeNetwork, NETNS_FOLDER, removeNetwork } from './network.ts';
import { Nft } from './nft.ts';
import { startPodProgram, type PodProgramProcess } from './pod-program.ts';
import { inPod, PODS_FOLDER, type PodPlace } from './pod-view.ts';
import { processesIn } from './reach/processes.ts';
import type { Pair } from './reach/protocol.ts';
import { Reach } from './reach/reach.ts';
import { resolveInLab } from './resolve.ts';
import { untilServing } from './serves.ts';
import { POD_ROOT, serviceOf, type LabSettings, type ServiceSpec } from './services.ts';
import { Supervisor } from './supervisor.ts';
import { unsupported } from './supports.ts';
import { needFoundationdb } from '../foundationdb-programs.ts';
import { findTool } from '../tools.ts';
import type { FoundationdbLayout, LabDatabase } from '../../scenario/scenario.ts';
import { podAsSeen, podNamed, podOf, threeRegions, type PodSpec, type Topology } from './topology.ts';

/** Programs get so long to end by themselves when the lab closes. */
const STOP_GRACE_MS = 1000;
const CLOSE_STEP_MS = 5000;

export interface LocalOptions extends EngineSettings {
  /** The engine's program; default is ours, `dist/src/main.js`. */
  readonly engineMain?: string;
  /** Whether the clocks of engine programs can be moved in this lab; off by default, since it costs a library in each of them. */
  readonly movableClocks?: boolean;
  /** 1 by default: each costs CPU that the load on the same machine needs. */
  readonly controllersPerRegion?: 1 | 2;
  readonly database?: LabDatabase;
  readonly foundationdbLayout?: FoundationdbLayout | undefined;
}

/** The lab on this machine (ARCHITECTURE §2). Must be made inside a prepared sandbox (sandbox.ts, lifeline.ts). */
export class LocalPlatform implements Platform {
  readonly kind = 'local';
  readonly topology: Topology;
  readonly #context: RunContext;
  #settings: LabSettings;
  readonly #supervisors = new Map<string, Supervisor>();
  readonly #logs = new Map<string, BoundedLog>();
  readonly #programs = new Set<PodProgramProcess>();
  readonly #injections: LocalInjection[] = [];
  #before: Inventory | undefined;
  #nft: Nft | undefined;
  #reach: Reach | undefined;
  #reachStarting: Promise<void> | undefined;
  #closed: Promise<readonly string[]> | undefined;
  #operator: Credentials | undefined;
  readonly #ground: LocalBackups | undefined;
  readonly #foundationdb: LabDatabaseServers | undefined;

  constructor(context: RunContext, options: LocalOptions) {
    const engineMain = options.engineMain ?? path.resolve(import.meta.dirname, '../../../src/main.js');
    const { backup = null } = options;
    const { controllersPerRegion = 1, database = 'embedded', foundationdbLayout = 'three_datacenter' } = options;
    this.topology = threeRegions({ controllersPerRegion, database, foundationdb: foundationdbLayout, backupStore: backup?.store ?? null });
    this.#context = context;
    const foundationdb = database === 'foundationdb' ? needFoundationdb() : null;
    if (foundationdb !== null) this.#foundationdb = labDatabase(foundationdb, this.topology, path.join(PODS_FOLDER, 'operator'));
    this.#settings = {
      replication: options.replication,
      policy: options.policy,
      backup,
      backupKeys: backup === null ? null : newBackupKeys(),
      foundationdb,
      engineMain: path.resolve(engineMain),
      tsigSecret: randomBytes(32).toString('base64'),
      programs: {},
      environment: programEnvironment(),
      engineEnvironment: options.movableClocks === true ? fakeClockEnvironment(POD_ROOT) : {},
    };
    this.#ground =
      backup === null
        ? undefined
        : new LocalBackups({ topology: this.topology, settings: this.#settings, backup, dataFolder: this.#dataFolder });
  }

  get primaryRegion(): string {
    return this.topology.primaryRegion;
  }

  get backups(): LocalBackups | undefined {
    return this.#ground;
  }

  supports(primitive: Primitive): true | string {
    return unsupported(this.topology, primitive) ?? true;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#before = await takeInventory();
    const [credentials, nft, programs] = await Promise.all([
      makeCertificates(this.topology.pods, new Date()),
      Nft.start(),
      unconfinedServers(),
      makeNetwork(this.topology, signal),
    ]);
    this.#nft = nft;
    this.#settings = { ...this.#settings, programs: { ...programs, ...optionalPrograms() } };
    await this.#ground?.start();
    await Promise.all(this.topology.pods.map((pod) => this.#preparePod(pod, credentials.get(pod.name))));
    await this.#startFoundationdb(signal);
    this.#reachStarting = this.#startReach(signal);
    await Promise.all([this.#startPods(() => true, signal), this.#reachStarting]);
    const operator = credentials.get('operator');
    if (operator === undefined) throw new HarnessError('internal', 'the operator has no certificate');
    this.#operator = operator;
    await untilServing(this.topology, operator, signal);
  }

  /** Starts those pods that are not running; resolves when all of them serve. */
  async #startPods(which: (pod: PodSpec) => boolean, signal: AbortSignal): Promise<void> {
    const chosen = [...this.#supervisors.values()].filter(({ place }) => which(place.pod));
    for (const supervisor of chosen) supervisor.start();
    await abortable(Promise.all(chosen.map((supervisor) => supervisor.ready)), signal, () => this.#notReady());
  }

  /** Before anything uses it: while the first data is copied commits stand still, and an engine that is there already fails over (seen: ten seconds after the database was made). */
  async #startFoundationdb(signal: AbortSignal): Promise<void> {
    if (this.#foundationdb === undefined) return;
    await this.#startPods(({ app }) => app === 'fdb' || app === 'dr-agent', signal);
    await this.#foundationdb.create(signal);
    await this.#foundationdb.untilReady(signal);
  }

  async newDatabase(signal: AbortSignal): Promise<void> {
    await this.#foundationdb?.remake(signal);
  }

  async databaseProblem(signal: AbortSignal, serving?: string): Promise<string | null> {
    return (await this.#foundationdb?.problem(signal, serving)) ?? null;
  }

  async databaseContent(signal: AbortSignal): Promise<ReadonlyMap<string, string> | null> {
    return (await this.#foundationdb?.data(signal)) ?? null;
  }

  pods(): readonly Pod[] {
    return this.topology.pods.map((pod) => podAsSeen(pod, this.#supervisors.get(pod.name)?.phase ?? 'Pending'));
  }

  injection(primitives: readonly Primitive[]): Injection {
    for (const primitive of primitives) {
      const why = unsupported(this.topology, primitive);
      if (why !== undefined) throw new HarnessError('unsupported', why);
    }
    const injection = new LocalInjection(`fault${this.#injections.length + 1}`, primitives, {
      topology: this.topology,
      nft: this.#running(this.#nft),
      nowMs: () => this.#context.nowMs(),
      supervisor: (pod) => this.#running(this.#supervisors.get(pod)),
    });
    this.#injections.push(injection);
    return injection;
  }

  reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]> {
    return this.#running(this.#reach).reachability(pods, signal);
  }

  watchLinks(pairs: readonly Pair[], periodMs: number): LinkWatch {
    return this.#running(this.#reach).watchLinks(pairs, periodMs);
  }

  processes(pods: readonly string[]): Promise<readonly PodProcess[]> {
    return processesIn(pods.map((name) => withNetnsPath(podNamed(this.topology, name))));
  }

  clocks(pods: readonly string[]): Promise<readonly ClockReading[]> {
    const specs = pods.map((name) => podNamed(this.topology, name));
    return readClocks(specs, this.#running(this.#operator), () => this.#context.nowMs());
  }

  resolve(hostName: string, signal: AbortSignal): Promise<readonly string[]> {
    return resolveInLab(podNamed(this.topology, 'dns'), hostName, signal);
  }

  runInPod(pod: string, program: string, args: readonly string[]): PodProgram {
    const { place } = this.#running(this.#supervisors.get(podNamed(this.topology, pod).name));
    const started = startPodProgram(inPod(place, [program, ...args]), this.#settings.environment, this.#running(this.#logs.get(pod)));
    this.#programs.add(started);
    return started;
  }

  /** What programs of this lab see as environment. */
  get environment(): Readonly<Record<string, string>> {
    return this.#settings.environment;
  }

  /** The command that runs `command` with a pod's network, mounts and files. For the operator's shell. */
  commandInPod(pod: string, command: readonly string[]): readonly [string, ...string[]] {
    return inPod(this.#running(this.#supervisors.get(pod)).place, command);
  }

  /** The operator's process ids of what runs now, by pod: for the effect probe of process faults. */
  pidOf(pod: string): number | undefined {
    return this.#supervisors.get(pod)?.pid;
  }

  close(): Promise<readonly string[]> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<readonly string[]> {
    const before = this.#before;
    if (before === undefined) return [];
    const problems: string[] = [];
    const step = async (what: string, work: Promise<unknown>): Promise<void> => {
      const late = sleep(CLOSE_STEP_MS, `took longer than ${CLOSE_STEP_MS} ms`, { ref: false });
      const problem = await Promise.race([work.then(() => undefined, String), late]);
      if (problem !== undefined) problems.push(`${what}: ${problem}`);
    };
    const supervisors = [...this.#supervisors.values()];
    await step('programs in pods', Promise.all([...this.#programs].map((program) => program.stop())));
    await step('pods', Promise.all(supervisors.map((supervisor) => supervisor.stop(STOP_GRACE_MS))));
    await step('faults', Promise.all(this.#injections.map((injection) => injection.heal(AbortSignal.timeout(CLOSE_STEP_MS)))));
    await step('reach', this.#closeReach());
    await step('nft', this.#nft?.close() ?? Promise.resolve());
    await step('network', removeNetwork(this.topology));
    await step('logs', Promise.all([...this.#logs.values()].map((log) => log.close())));
    await step('store', this.#ground?.close() ?? Promise.resolve());
    await step('files', this.#removeFiles());
    return [...problems, ...leftovers(before, await takeInventory())];
  }

  async #startReach(signal: AbortSignal): Promise<void> {
    const originNs = process.hrtime.bigint() - BigInt(Math.round(this.#context.nowMs() * 1e6));
    this.#reach = await Reach.start(this.topology.pods.map(withNetnsPath), originNs, signal);
  }

  /** Also when the lab is closed while it starts: the signal has then ended the start, or it is about to have succeeded. */
  async #closeReach(): Promise<void> {
    await this.#reachStarting?.catch(() => undefined); // start() has reported it
    await this.#reach?.close();
  }

  async #removeFiles(): Promise<void> {
    await rm(this.#dataFolder, { recursive: true, force: true });
    await Promise.all(this.topology.pods.map((pod) => rm(path.join(PODS_FOLDER, pod.name), { recursive: true, force: true })));
  }

  get #dataFolder(): string {
    return path.join(this.#context.runFolder, 'lab');
  }

  async #preparePod(pod: PodSpec, credentials: Credentials | undefined): Promise<void> {
    const service = serviceOf(this.topology, pod, this.#settings, credentials);
    const root = path.join(PODS_FOLDER, pod.name);
    const data = path.join(this.#dataFolder, dataOf(this.topology, pod));
    const place: PodPlace = { pod, root, data, shared: this.#ground?.sharedWith(pod), runFolder: this.#context.runFolder };
    const folders = [path.join(root, 'data'), place.data, ...(place.shared === undefined ? [] : [path.join(root, place.shared.at)])];
    await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
    await writeFiles(root, service);
    const logs = path.join(this.#context.runFolder, 'pods');
    await mkdir(logs, { recursive: true });
    const log = new BoundedLog(path.join(logs, `${pod.name}.log`));
    this.#logs.set(pod.name, log);
    this.#supervisors.set(pod.name, new Supervisor(place, service, { run: this.#context, log }));
  }

  #notReady(): HarnessError {
    const waiting = [...this.#supervisors.values()].filter((supervisor) => !supervisor.isReady).map(({ place }) => place.pod.name);
    const logs = path.join(this.#context.runFolder, 'pods');
    return new HarnessError('lab-failed', `these pods did not become ready: ${waiting.join(', ')}; their logs are in ${logs}`);
  }

  #running<T>(part: T | undefined): T {
    if (part === undefined) throw new HarnessError('internal', 'the lab is not running');
    return part;
  }
}

/** Backups are made beside a database, from its own files: in a cluster a container of the same pod. */
function dataOf(topology: Topology, pod: PodSpec): string {
  return pod.app === 'backup' ? podOf(topology, 'db', pod.region).name : pod.name;
}

/** Of tools that a lab can do without. */
function optionalPrograms(): Readonly<Record<string, string>> {
  const store = findTool('fake-gcs-server');
  return store === undefined ? {} : { 'fake-gcs-server': store };
}

async function writeFiles(root: string, service: ServiceSpec): Promise<void> {
  for (const file of service.files) {
    const name = path.join(root, file.path);
    await mkdir(path.dirname(name), { recursive: true });
    await writeFile(name, file.text, { mode: file.secret === true ? 0o600 : file.executable === true ? 0o755 : 0o644 });
  }
}

const withNetnsPath = (pod: PodSpec): PodSpec & { readonly netnsPath: string } => ({ ...pod, netnsPath: `${NETNS_FOLDER}/${pod.netns}` });
