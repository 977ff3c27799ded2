import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { EngineConfig } from '../config/config.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import { makeTestAuthority, type TestAuthority } from './certificates.ts';
import { startEtcdCluster, type EtcdCluster } from './etcd-cluster.ts';
import { freePorts } from './free-ports.ts';
import { startKnot, type TestKnot } from './knot.ts';
import { PATIENT, PROGRAMS, REGIONS, testConfig, type Program, type TestPolicy, type TestSettings } from './test-config.ts';
import { WITH_PARENT } from './with-parent.ts';

const MAIN = resolve(import.meta.dirname, '../main.js');
/** Name of a region's further controller. */
const SECOND = 'controller2';
/** A question may be asked again, also of a program that stands still; a write is sent once, and its answer is what the test is about. */
const ASK_MS = 2000;
const PUT_MS = 20_000;
const WAIT_MS = 60_000;

export interface LogLine {
  readonly region: string;
  readonly program: Program;
  readonly action: string;
  readonly monotonic_ms: number;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Finished {
  readonly code: number | null;
  readonly out: string;
}

interface Parts {
  readonly folder: string;
  readonly servers: { readonly etcd: EtcdCluster; readonly knot: TestKnot } | null;
  readonly ports: ReadonlyMap<string, number>;
  readonly client: HttpsClient;
  readonly regions: readonly string[];
}

/**
 * The whole engine as real processes on loopback: regions (three, unless others are named) of database, api and controller; three etcd members and knot, unless the
 * settings name others. The owner calls `stop`.
 */
export class EngineCluster {
  readonly logs: LogLine[] = [];
  readonly #parts: Parts;
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  get etcd(): EtcdCluster {
    return this.#servers.etcd;
  }

  get knot(): TestKnot {
    return this.#servers.knot;
  }

  get #servers(): { readonly etcd: EtcdCluster; readonly knot: TestKnot } {
    if (this.#parts.servers === null) throw new Error('the settings of this cluster name an arbiter and a DNS of their own');
    return this.#parts.servers;
  }

  /**
   * Writes every configuration and starts etcd and knot; the programs are started by `startProgram` or `startAll`. `more` is laid over the configuration; where it names an
   * arbiter and a DNS, those are the caller's, and no others are started. `secondControllers`: one more in each region, for `startSecondController`.
   */
  static async prepare(
    mode: 'sync' | 'async',
    policy: TestPolicy = PATIENT,
    more: TestSettings['more'] = {},
    { secondControllers = false, regions = REGIONS }: { readonly secondControllers?: boolean; readonly regions?: readonly string[] } = {},
  ): Promise<EngineCluster> {
    const authority = await makeTestAuthority();
    const folder = mkdtempSync(join(tmpdir(), 'coditect-engine-'));
    const servers = more.arbiter !== undefined && more.dns !== undefined ? null : await startServers(authority);
    const names = regions.flatMap((region) => [...PROGRAMS, SECOND].map((program) => `${program} ${region}`));
    const free = await freePorts(names.length);
    const ports = new Map(names.map((name, i) => [name, free[i] as number]));
    const client = new HttpsClient(await authority.issue('operator.outside'));
    const cluster = new EngineCluster({ folder, servers, ports, client, regions });
    const settings: TestSettings = {
      mode,
      policy,
      arbiter: more.arbiter ?? { kind: 'etcd', endpoints: [...cluster.etcd.endpoints], prefix: '/coditect-dr/' },
      dns: more.dns ?? zoneOf(cluster.knot),
      pem: '',
      more,
      regions,
      portOf: (program, region) => ports.get(`${program} ${region}`) ?? 0,
      ...(secondControllers ? { secondControllerOf: (region: string) => ports.get(`${SECOND} ${region}`) ?? 0 } : {}),
    };
    for (const region of secondControllers ? regions : []) {
      const listen = { host: '127.0.0.1', port: ports.get(`${SECOND} ${region}`) };
      await cluster.#configure(
        `${SECOND}.${region}`,
        testConfig({ ...settings, more: { ...more, listen } }, 'controller', region),
        authority,
      );
    }
    for (const region of regions)
      for (const program of PROGRAMS) await cluster.#configure(`${program}.${region}`, testConfig(settings, program, region), authority);
    await cluster.#configure('operator.outside', testConfig(settings, 'api', 'us-east1'), authority);
    return cluster;
  }

  /** The configuration of a program, for a test that runs it itself. */
  configOf(program: Program, region: string): LoadedConfig {
    return loadConfig(this.#configOf(`${program}.${region}`), {});
  }

  startAll(): void {
    for (const region of this.#parts.regions) for (const program of PROGRAMS) this.startProgram(program, region);
  }

  startProgram(program: Program, region: string): void {
    this.#start(program, program, region);
  }

  /** Its log is that of the region's controller. */
  startSecondController(region: string): void {
    this.#start(SECOND, 'controller', region);
  }

  signalSecondController(region: string, signal: NodeJS.Signals): void {
    this.#processes.get(`${SECOND} ${region}`)?.kill(signal);
  }

  #start(name: string, program: Program, region: string): void {
    const child = spawn('setpriv', [...WITH_PARENT, process.execPath, MAIN, program, '--config', this.#configOf(`${name}.${region}`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.logs.push({ ...(JSON.parse(line) as LogLine), region, program }));
    this.#processes.set(`${name} ${region}`, child);
  }

  pidOf(program: Program, region: string): number {
    const pid = this.#processes.get(`${program} ${region}`)?.pid;
    if (pid === undefined) throw new Error(`${program} of ${region} does not run`);
    return pid;
  }

  signal(program: Program, region: string, signal: NodeJS.Signals): void {
    this.#processes.get(`${program} ${region}`)?.kill(signal);
  }

  async end(program: Program, region: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#processes.get(`${program} ${region}`);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exited)[0];
  }

  /** A command of the operator, to its end. */
  async command(...args: readonly string[]): Promise<Finished> {
    const child = spawn('setpriv', [...WITH_PARENT, process.execPath, MAIN, ...args, '--config', this.#configOf('operator.outside')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out };
  }

  /** One request as the operator; null when there was no answer. */
  async ask(
    program: Program,
    region: string,
    path: string,
    put?: string,
  ): Promise<{ readonly status: number; readonly json: unknown; readonly text: string } | null> {
    const url = `https://127.0.0.1:${this.#parts.ports.get(`${program} ${region}`)}${path}`;
    const result = await this.#parts.client.call(
      url,
      put === undefined ? { timeoutMs: ASK_MS } : { timeoutMs: PUT_MS, method: 'PUT', body: put },
    );
    return result.kind === 'reply' ? { status: result.status, json: parseJson(result.body), text: result.body.toString() } : null;
  }

  /** Asks again until it holds; fails with the last thing seen. */
  async until<T>(what: string, look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
    let seen = await look();
    for (const endMs = systemClock.monotonicMs() + WAIT_MS; !holds(seen); seen = await look()) {
      if (systemClock.monotonicMs() > endMs) throw new Error(`not ${what} in time: ${JSON.stringify(seen)}`);
      await systemClock.sleep(20);
    }
    return seen;
  }

  /** The log as one readable line each, for a test that failed. */
  transcript(since = 0): string {
    const lines = this.logs.slice(since).toSorted((a, b) => a.monotonic_ms - b.monotonic_ms);
    const short = (line: LogLine): string =>
      `${line.monotonic_ms.toFixed(0)} ${line.program} ${line.region} ${line.action} ${JSON.stringify(line.details)}`;
    return lines.map(short).join('\n');
  }

  async stop(): Promise<void> {
    const running = [...this.#processes.values()].filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      running.map((child) => {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        return exited;
      }),
    );
    this.#parts.client.close();
    await Promise.all([this.#parts.servers?.etcd.stop(), this.#parts.servers?.knot.stop()]);
    rmSync(this.#parts.folder, { recursive: true, force: true });
  }

  #configOf(name: string): string {
    return join(this.#parts.folder, name, 'config.yaml');
  }

  async #configure(name: string, config: string, authority: TestAuthority): Promise<void> {
    const own = join(this.#parts.folder, name);
    mkdirSync(own);
    const credentials = await authority.issue(name.replace(SECOND, 'controller'));
    for (const part of ['ca', 'cert', 'key'] as const) writeFileSync(join(own, `${part}.pem`), credentials[part], { mode: 0o600 });
    const secret = this.#parts.servers?.knot.key.secret.toString('base64');
    if (secret !== undefined) writeFileSync(join(own, 'tsig'), secret, { mode: 0o600 });
    writeFileSync(join(own, 'config.yaml'), config);
  }
}

async function startServers(authority: TestAuthority): Promise<{ readonly etcd: EtcdCluster; readonly knot: TestKnot }> {
  const [etcd, knot] = await Promise.all([startEtcdCluster(await authority.issue('etcd.us-east1')), startKnot()]);
  return { etcd, knot };
}

function zoneOf({ server, port, zone, key }: TestKnot): EngineConfig['dns'] {
  const tsig = { name: key.name, algorithm: key.algorithm, secret_file: 'tsig' };
  return { kind: 'rfc2136', server, port, zone, name: 'api.coditect.test.', ttl_seconds: 1, tsig };
}
