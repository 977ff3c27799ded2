import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { makeCertificates, type Credentials } from '../../platform/local/certificates.ts';
import { engineConfig, type EngineSettings } from '../../platform/local/engine-config.ts';
import { HarnessError } from '../../platform/errors.ts';
import { ask, type Question, type Reply } from './ask.ts';
import { PORTS, podOf, SERVICE_NAME, threeRegions, ZONE, type App, type PodSpec, type Topology } from '../../platform/local/topology.ts';

/** `setpriv` and these, before a program: it ends with the test that started it, whatever ends that. */
const WITH_PARENT = ['--pdeathsig', 'KILL', '--'] as const;

/** Not 53: this needs no root. */
const DNS_PORT = 5377;
const READY_WITHIN_MS = 60_000;
const TERM_WITHIN_MS = 20_000;
const PROGRAM = { api: 'api', db: 'database', 'dr-controller': 'controller' } as const;
export type EngineApp = keyof typeof PROGRAM;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}
/** A program with what it wrote. Owner: the system that started it. */
export interface Started {
  readonly pod: string;
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
}

/**
 * The whole system on 127.77.R.H without namespaces, resolvers or faults: real etcd, real knot, nine engine processes. For what needs a
 * running engine but no network of its own: the contract test. stop() ends everything and removes its folder.
 */
export class LoopbackSystem {
  readonly topology: Topology;
  readonly #folder: string;
  readonly #engineMain: string;
  readonly #settings: EngineSettings;
  readonly #certificates: ReadonlyMap<string, Credentials>;
  readonly #tsigSecret = randomBytes(32).toString('base64');
  readonly #started = new Map<string, Started>();

  private constructor(engineMain: string, settings: EngineSettings, topology: Topology, certificates: ReadonlyMap<string, Credentials>) {
    this.#engineMain = engineMain;
    this.#settings = settings;
    this.topology = topology;
    this.#certificates = certificates;
    this.#folder = mkdtempSync(join(tmpdir(), 'coditect-loopback-'));
  }

  /** Starts everything and resolves when every program listens. */
  static async start(engineMain: string, settings: EngineSettings): Promise<LoopbackSystem> {
    const topology = onLoopback(threeRegions());
    const system = new LoopbackSystem(engineMain, settings, topology, await makeCertificates(topology.pods, new Date()));
    try {
      system.#startDns();
      await system.#startEtcd();
      const pods = topology.pods.filter((pod) => pod.app in PROGRAM);
      await Promise.all(pods.map((pod) => system.startEngine(pod)));
      return system;
    } catch (error) {
      const output = [...system.#started.values()].map((s) => s.stderr()).join('');
      await system.stop();
      throw new HarnessError('lab-failed', `${(error as Error).message}\n${output}`, error);
    }
  }

  credentials(pod: string): Credentials {
    const found = this.#certificates.get(pod);
    if (!found) throw new RangeError(`no certificate for ${pod}`);
    return found;
  }
  pod(app: App, region: string): PodSpec {
    return podOf(this.topology, app, region);
  }
  /** Asks an engine program over HTTPS, showing the certificate of the pod `as`. */
  ask(pod: PodSpec, path: string, as: string, more: Partial<Question> = {}): Promise<Reply> {
    return ask({ url: `https://${pod.ipv4}:${PORTS[pod.app as EngineApp]}${path}`, as: this.credentials(as), ...more });
  }
  /** The authoritative DNS server. */
  get dns(): { readonly host: string; readonly port: number } {
    return { host: podOf(this.topology, 'dns', 'outside').ipv4, port: DNS_PORT };
  }
  started(pod: string): Started {
    const found = this.#started.get(pod);
    if (!found) throw new RangeError(`${pod} was not started`);
    return found;
  }

  /** Starts a pod's engine program, again if it has ended; resolves when it listens. */
  async startEngine(pod: PodSpec): Promise<void> {
    const folder = this.#podFolder(pod);
    writeFileSync(join(folder, 'config.yaml'), this.configText(pod));
    const app = pod.app as EngineApp;
    this.#spawn(pod.name, [process.execPath, this.#engineMain, PROGRAM[app], '--config', join(folder, 'config.yaml')]);
    await untilListening(pod.ipv4, PORTS[app]);
  }

  configText(pod: PodSpec): string {
    const config = engineConfig(this.topology, pod, this.#settings);
    const endpoints = [`https://${podOf(this.topology, 'etcd', this.topology.primaryRegion).ipv4}:${PORTS.etcd}`];
    return stringify({
      ...config,
      arbiter: { ...(config['arbiter'] as object), endpoints },
      dns: { ...(config['dns'] as object), port: DNS_PORT },
    });
  }

  /** Runs the engine with a configuration that it should not accept; resolves when it has ended (killed after a while). */
  async runWithConfig(pod: PodSpec, text: string): Promise<Ended & { readonly file: string; readonly stderr: string }> {
    const file = join(this.#podFolder(pod), 'other.yaml');
    writeFileSync(file, text);
    const program = this.#spawn('other', [process.execPath, this.#engineMain, PROGRAM[pod.app as EngineApp], '--config', file]);
    return { ...(await endWithin(program, READY_WITHIN_MS)), file, stderr: program.stderr() };
  }

  async terminate(pod: string): Promise<Ended> {
    const program = this.started(pod);
    program.process.kill('SIGTERM');
    return endWithin(program, TERM_WITHIN_MS);
  }

  async stop(): Promise<void> {
    const all = [...this.#started.values()];
    for (const { process: child } of all) child.kill('SIGTERM');
    await Promise.all(all.map((program) => endWithin(program, TERM_WITHIN_MS)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #podFolder(pod: PodSpec): string {
    const folder = join(this.#folder, pod.name);
    for (const inner of ['tls', 'secrets', 'data']) mkdirSync(join(folder, inner), { recursive: true });
    const secret = { mode: 0o600 };
    const credentials = this.#certificates.get(pod.name);
    if (credentials) {
      writeFileSync(join(folder, 'tls/ca.crt'), credentials.caPem);
      writeFileSync(join(folder, 'tls/tls.crt'), credentials.certPem);
      writeFileSync(join(folder, 'tls/tls.key'), credentials.keyPem, secret);
    }
    writeFileSync(join(folder, 'secrets/tsig'), `${this.#tsigSecret}\n`, secret);
    return folder;
  }

  #startDns(): void {
    const pod = podOf(this.topology, 'dns', 'outside');
    const folder = this.#podFolder(pod);
    const api = podOf(this.topology, 'api', this.topology.primaryRegion);
    mkdirSync(join(folder, 'db'), { recursive: true });
    writeFileSync(
      join(folder, 'zone'),
      `${ZONE}. 1 SOA dns.${ZONE}. operator.${ZONE}. 1 60 60 3600 1\n${ZONE}. 1 NS dns.${ZONE}.\ndns.${ZONE}. 1 A ${pod.ipv4}\n${SERVICE_NAME}. 1 A ${api.ipv4}\n`,
    );
    const key = `key:\n  - id: coditect-dr.\n    algorithm: hmac-sha256\n    secret: ${this.#tsigSecret}\n`;
    const zone = `zone:\n  - domain: ${ZONE}\n    storage: ${folder}\n    file: zone\n    acl: engine\n`;
    const server = `server:\n  listen: ${pod.ipv4}@${DNS_PORT}\n  rundir: ${folder}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n`;
    const database = `database:\n  storage: ${folder}/db\n  journal-db-max-size: 16M\n`;
    writeFileSync(
      join(folder, 'knot.conf'),
      `${server}${database}${key}acl:\n  - id: engine\n    key: coditect-dr.\n    action: update\n${zone}`,
    );
    this.#spawn(pod.name, ['knotd', '-c', join(folder, 'knot.conf')]);
  }

  /** One member: between members etcd compares a peer's source address, which is 127.0.0.1 here, with its certificate. */
  async #startEtcd(): Promise<void> {
    const pod = podOf(this.topology, 'etcd', this.topology.primaryRegion);
    const folder = this.#podFolder(pod);
    const url = `https://${pod.ipv4}:${PORTS.etcd}`;
    const flags = {
      name: pod.name,
      'data-dir': join(folder, 'etcd'),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': `http://${pod.ipv4}:${PORTS.etcdPeer}`,
      'initial-advertise-peer-urls': `http://${pod.ipv4}:${PORTS.etcdPeer}`,
      'initial-cluster': `${pod.name}=http://${pod.ipv4}:${PORTS.etcdPeer}`,
      'heartbeat-interval': '50',
      'election-timeout': '500',
      'client-cert-auth': 'true',
      'trusted-ca-file': join(folder, 'tls/ca.crt'),
      'cert-file': join(folder, 'tls/tls.crt'),
      'key-file': join(folder, 'tls/tls.key'),
      logger: 'zap',
      'log-level': 'error',
    };
    this.#spawn(pod.name, ['etcd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)]);
    await untilListening(pod.ipv4, PORTS.etcd);
  }

  #spawn(pod: string, [program = '', ...args]: readonly string[]): Started {
    const child = spawn('setpriv', [...WITH_PARENT, program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const { promise: ended, resolve } = Promise.withResolvers<Ended>();
    child.once('error', (error) => (output.stderr += `${program} does not start: ${error.message}\n`));
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
    const started = { pod, process: child, ended, stdout: () => output.stdout, stderr: () => output.stderr };
    this.#started.set(pod, started);
    return started;
  }
}

/** The same topology with every address on the loopback device: 10.77.R.H becomes 127.77.R.H. */
function onLoopback(topology: Topology): Topology {
  const pods = topology.pods.map((pod) => ({ ...pod, ipv4: pod.ipv4.replace(/^10\./, '127.'), ipv6: '::1' }));
  return { ...topology, pods };
}

/** Ends it by SIGKILL when it takes longer than this. */
async function endWithin(program: Started, ms: number): Promise<Ended> {
  const timer = setTimeout(() => program.process.kill('SIGKILL'), ms);
  const ended = await program.ended;
  clearTimeout(timer);
  return ended;
}

async function untilListening(host: string, port: number): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadlineMs) {
    if (await accepts(host, port)) return;
    await pause(20);
  }
  throw new HarnessError('timeout', `nothing listens on ${host}:${port} after ${READY_WITHIN_MS} ms`);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
