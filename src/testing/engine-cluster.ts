import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Policy } from '../config/policy.ts';
import { systemClock } from '../platform/clock.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import { makeTestAuthority, type TestAuthority } from './certificates.ts';
import { startEtcdCluster, type EtcdCluster } from './etcd-cluster.ts';
import { freePorts } from './free-ports.ts';
import { startKnot, type TestKnot } from './knot.ts';

export const REGIONS = ['us-central1', 'us-east1', 'europe-west1'] as const;
export type Region = (typeof REGIONS)[number];
export const PROGRAMS = ['database', 'api', 'controller'] as const;
export type Program = (typeof PROGRAMS)[number];

const MAIN = resolve(import.meta.dirname, '../main.js');
const CALL_MS = 2000;
const WAIT_MS = 20_000;

/** The lab's policy with the patience that a machine needs that runs other things as well: tests are about order and outcome, not about speed. */
export const PATIENT = {
  preset: 'lab',
  probeTimeoutMs: 400,
  suspectAfterMs: 1500,
  confirmMs: 500,
  arbiterRpcMs: 300,
  holderStopsMs: 2500,
  leaseMs: 2700,
  successorWaitsMs: 3000,
  leaderTakeoverMs: 1500,
  appendTimeoutMs: 900,
  syncDropAfterMs: 1500,
  undoMs: 4000,
} as const;
type TestPolicy = 'lab' | (Partial<Policy> & { readonly preset: 'lab' });

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

interface Given {
  readonly region: Region;
  readonly program: Program;
  readonly mode: 'sync' | 'async';
  readonly policy: TestPolicy;
  /** Further settings, laid over the configuration. */
  readonly more: Readonly<Record<string, unknown>>;
  readonly authority: TestAuthority;
}

/** The whole engine as real processes on loopback: three regions of database, api and controller, three etcd members, knot. The owner calls `stop`. */
export class EngineCluster {
  readonly logs: LogLine[] = [];
  readonly etcd: EtcdCluster;
  readonly knot: TestKnot;
  readonly #folder: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #client: HttpsClient;
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(parts: {
    folder: string;
    etcd: EtcdCluster;
    knot: TestKnot;
    ports: ReadonlyMap<string, number>;
    client: HttpsClient;
  }) {
    this.#folder = parts.folder;
    this.etcd = parts.etcd;
    this.knot = parts.knot;
    this.#ports = parts.ports;
    this.#client = parts.client;
  }

  /** Writes every configuration and starts etcd and knot; the programs are started by `startProgram` or `startAll`. */
  static async prepare(mode: 'sync' | 'async', policy: TestPolicy = PATIENT, more: Given['more'] = {}): Promise<EngineCluster> {
    const authority = await makeTestAuthority();
    const folder = mkdtempSync(join(tmpdir(), 'coditect-engine-'));
    const [etcd, knot] = await Promise.all([startEtcdCluster(await authority.issue('etcd.us-east1')), startKnot()]);
    const free = await freePorts(REGIONS.length * PROGRAMS.length);
    const names = REGIONS.flatMap((region) => PROGRAMS.map((program) => `${program} ${region}`));
    const ports = new Map(names.map((name, i) => [name, free[i] as number]));
    const client = new HttpsClient(await authority.issue('operator.outside'));
    const cluster = new EngineCluster({ folder, etcd, knot, ports, client });
    for (const region of REGIONS)
      for (const program of PROGRAMS) await cluster.#configure(`${program}.${region}`, { region, program, mode, policy, more, authority });
    await cluster.#configure('operator.outside', { region: 'us-east1', program: 'api', mode, policy, more, authority });
    return cluster;
  }

  startAll(): void {
    for (const region of REGIONS) for (const program of PROGRAMS) this.startProgram(program, region);
  }

  startProgram(program: Program, region: Region): void {
    const child = spawn(process.execPath, [MAIN, program, '--config', this.#configOf(`${program}.${region}`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.logs.push({ ...(JSON.parse(line) as LogLine), region, program }));
    this.#processes.set(`${program} ${region}`, child);
  }

  signal(program: Program, region: Region, signal: NodeJS.Signals): void {
    this.#processes.get(`${program} ${region}`)?.kill(signal);
  }

  async end(program: Program, region: Region, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#processes.get(`${program} ${region}`);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exited)[0];
  }

  /** A command of the operator, to its end. */
  async command(...args: readonly string[]): Promise<Finished> {
    const child = spawn(process.execPath, [MAIN, ...args, '--config', this.#configOf('operator.outside')], {
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
    region: Region,
    path: string,
    put?: string,
  ): Promise<{ readonly status: number; readonly json: unknown; readonly text: string } | null> {
    const url = `https://127.0.0.1:${this.#ports.get(`${program} ${region}`)}${path}`;
    const result = await this.#client.call(url, { timeoutMs: CALL_MS, ...(put === undefined ? {} : { method: 'PUT', body: put }) });
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
    this.#client.close();
    await Promise.all([this.etcd.stop(), this.knot.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #configOf(name: string): string {
    return join(this.#folder, name, 'config.yaml');
  }

  async #configure(name: string, given: Given): Promise<void> {
    const { region, program, mode, policy, more, authority } = given;
    const own = join(this.#folder, name);
    mkdirSync(own);
    const credentials = await authority.issue(name);
    for (const part of ['ca', 'cert', 'key'] as const) writeFileSync(join(own, `${part}.pem`), credentials[part], { mode: 0o600 });
    writeFileSync(join(own, 'tsig'), this.knot.key.secret.toString('base64'), { mode: 0o600 });
    const url = (of: Program, where: Region): string => `https://127.0.0.1:${this.#ports.get(`${of} ${where}`)}`;
    const regions = REGIONS.map((where, i) => [
      where,
      {
        api: url('api', where),
        database: url('database', where),
        controller: url('controller', where),
        addresses: [`127.0.1.${i + 1}`, `fd77::${i + 1}:10`],
      },
    ]);
    const config = {
      region,
      primary_region: REGIONS[0],
      standby_regions: REGIONS.slice(1),
      rpo_seconds: 5,
      rto_seconds: 10,
      backup_retention_days: 30,
      policy,
      replication: mode,
      listen: { host: '127.0.0.1', port: this.#ports.get(`${program} ${region}`) },
      regions: Object.fromEntries(regions) as unknown,
      arbiter: { kind: 'etcd', endpoints: this.etcd.endpoints, prefix: '/coditect-dr/' },
      dns: {
        kind: 'rfc2136',
        server: this.knot.server,
        port: this.knot.port,
        zone: this.knot.zone,
        name: 'api.coditect.test.',
        ttl_seconds: 1,
        tsig: { name: this.knot.key.name, algorithm: this.knot.key.algorithm, secret_file: 'tsig' },
      },
      tls: { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' },
      data: { path: 'data' },
      ...more,
    };
    // JSON is YAML.
    writeFileSync(join(own, 'config.yaml'), JSON.stringify(config));
  }
}
