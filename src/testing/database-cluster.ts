import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Arbiter } from '../arbiter/arbiter.ts';
import { openEtcd } from '../arbiter/etcd.ts';
import { systemClock } from '../platform/clock.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import { databaseStatusShape, type DatabaseStatus } from '../server/control-messages.ts';
import { makeTestAuthority, type TestAuthority } from './certificates.ts';
import { startEtcdCluster, type EtcdCluster } from './etcd-cluster.ts';
import { freePorts } from './free-ports.ts';
import { PATIENT, REGIONS, testConfig, type Region, type TestSettings } from './test-config.ts';
import { WITH_PARENT } from './with-parent.ts';

const MAIN = resolve(import.meta.dirname, '../main.js');
const CALL_MS = 20_000;
const WAIT_MS = 60_000;
/** Of one call to a member that is there: the machine may be busy. */
const RPC_MS = 15_000;

type Clients = Readonly<Record<'api' | 'controller' | 'client', HttpsClient>>;
type Ports = Readonly<Record<Region, { readonly database: number; readonly api: number }>>;

export interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Three real database processes (and their api, where asked for) on loopback with a real etcd. The owner calls `stop`. */
export class DatabaseCluster {
  readonly logs: Readonly<Record<string, unknown>>[] = [];
  readonly folder: string;
  /** Of the cluster's own etcd, to act as a controller would. */
  readonly arbiter: Arbiter;
  readonly #etcd: EtcdCluster;
  readonly #clients: Clients;
  readonly #ports: Ports;
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(folder: string, parts: { readonly etcd: EtcdCluster; readonly arbiter: Arbiter }, clients: Clients, ports: Ports) {
    const { etcd, arbiter } = parts;
    this.folder = folder;
    this.arbiter = arbiter;
    this.#etcd = etcd;
    this.#clients = clients;
    this.#ports = ports;
  }

  /** `more` is laid over the configuration of every program. */
  static async start(mode: 'sync' | 'async', more: TestSettings['more'] = {}): Promise<DatabaseCluster> {
    const authority = await makeTestAuthority();
    const folder = mkdtempSync(join(tmpdir(), 'coditect-cluster-'));
    const etcd = await startEtcdCluster(await authority.issue('etcd.us-east1'));
    const free = await freePorts(6);
    const ports = Object.fromEntries(REGIONS.map((region, i) => [region, { database: free[i] ?? 0, api: free[i + 3] ?? 0 }])) as Ports;
    for (const region of REGIONS) await writeConfigs({ folder, region, mode, endpoints: [...etcd.endpoints], ports, authority, more });
    const client = async (role: string): Promise<HttpsClient> => new HttpsClient(await authority.issue(`${role}.us-east1`));
    const clients = { api: await client('api'), controller: await client('controller'), client: await client('client') };
    const credentials = await authority.issue('controller.us-east1');
    const arbiter = openEtcd({
      endpoints: etcd.endpoints,
      prefix: '/coditect-dr/',
      credentials,
      rpcMs: RPC_MS,
      silenceMs: 1000,
      clock: systemClock,
    });
    return new DatabaseCluster(folder, { etcd, arbiter }, clients, ports);
  }

  /** `wrap` runs the program under another one, e.g. strace and its arguments. */
  startProgram(program: 'database' | 'api' | 'backup-service', region: Region, wrap: readonly string[] = []): ChildProcess {
    const command = [...wrap, process.execPath, MAIN, program, '--config', join(this.folder, region, `${program}.yaml`)];
    const child = spawn('setpriv', [...WITH_PARENT, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', (line) =>
      this.logs.push({ region, program, ...(parseJson(Buffer.from(line)) as object) }),
    );
    this.#processes.set(`${program} ${region}`, child);
    return child;
  }

  async end(program: 'database' | 'api', region: Region, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#processes.get(`${program} ${region}`);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exited)[0];
  }

  /** Sends a signal that does not end it (SIGSTOP, SIGCONT). */
  signal(program: 'database' | 'api', region: Region, signal: NodeJS.Signals): void {
    this.#processes.get(`${program} ${region}`)?.kill(signal);
  }

  async ask(
    as: 'api' | 'controller' | 'client',
    region: Region,
    request: { method?: 'GET' | 'PUT' | 'POST' | 'DELETE'; path: string; body?: string; toApi?: boolean },
  ): Promise<Answer | null> {
    const port = request.toApi === true ? this.#ports[region as Region].api : this.#ports[region].database;
    const body = request.body === undefined ? {} : { body: request.body };
    const result = await this.#clients[as].call(`https://127.0.0.1:${port}${request.path}`, {
      method: request.method ?? 'GET',
      ...body,
      timeoutMs: CALL_MS,
    });
    if (result.kind !== 'reply') return null;
    return {
      status: result.status,
      json: (parseJson(result.body) ?? { text: result.body.toString('utf8') }) as Readonly<Record<string, unknown>>,
    };
  }

  put(region: Region, key: string, value: string): Promise<Answer | null> {
    return this.ask('api', region, { method: 'PUT', path: `/v1/kv/${encodeURIComponent(key)}`, body: value });
  }

  async status(region: Region): Promise<DatabaseStatus | null> {
    const answer = await this.ask('controller', region, { path: '/v1/status' });
    return answer?.status === 200 ? databaseStatusShape.parse(answer.json) : null;
  }

  /** A region's own committed copy. */
  async exported(region: Region): Promise<ReadonlyMap<string, string>> {
    const answer = await this.ask('api', region, { path: '/v1/export' });
    const text = answer?.json['text'];
    if (typeof text !== 'string') throw new Error(`${region} exports nothing`);
    const rows = text
      .split('\n')
      .filter(Boolean)
      .slice(1)
      .map((line) => JSON.parse(line) as { key: string; value: string });
    return new Map(rows.map(({ key, value }) => [key, value]));
  }

  /** Polls until the region's status is as asked; fails with the last one seen. */
  async until(region: Region, what: string, holds: (status: DatabaseStatus) => boolean): Promise<DatabaseStatus> {
    let last: DatabaseStatus | null = null;
    for (const end = systemClock.monotonicMs() + WAIT_MS; systemClock.monotonicMs() < end; await systemClock.sleep(50)) {
      last = await this.status(region);
      if (last !== null && holds(last)) return last;
    }
    throw new Error(`${region} was not ${what} in time: ${JSON.stringify(last)}`);
  }

  /** A member of etcd stops or goes on (SIGSTOP, SIGCONT). */
  signalEtcd(member: number, signal: NodeJS.Signals): void {
    this.#etcd.signal(member, signal);
  }

  /** What a controller does of a failover: freezes, seals, and promotes; the caller has made sure that the old primary is over. */
  async failOver(to: Region, also: Region | null): Promise<void> {
    const { lease, replication } = await this.arbiter.read();
    if (lease === null || replication === null) throw new Error('nothing to fail over from');
    const epoch = lease.value.epoch + 1;
    const runId = `test-${epoch}`;
    const taken = await this.arbiter.cas('lease', lease.revision, { epoch, holder: null, incarnation: runId, seq: 0 });
    const frozen = await this.arbiter.cas('replication', replication.revision, { ...replication.value, epoch });
    if (!taken.ok || !frozen.ok) throw new Error('the arbiter refused');
    const sealing = [to, ...(also === null ? [] : [also])];
    for (const region of sealing) await this.command(region, 'seal', { epoch, runId });
    const { mode, w } = replication.value;
    await this.command(to, 'promote', { epoch, runId, mode, w, set: sealing.filter((region) => region !== to) });
  }

  /** A controller's request to a database, asked again as one does while the database is bound by a promise; throws unless it is carried out. */
  async command(region: Region, what: 'seal' | 'fence' | 'promote', body: object): Promise<Answer> {
    const ask = () => this.ask('controller', region, { method: 'POST', path: `/v1/${what}`, body: JSON.stringify(body) });
    let answer = await ask();
    for (const end = systemClock.monotonicMs() + WAIT_MS; systemClock.monotonicMs() < end && isBound(answer); answer = await ask())
      await systemClock.sleep(50);
    if (answer?.status !== 200) throw new Error(`${what} of ${region}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async stop(): Promise<void> {
    for (const child of this.#processes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await this.arbiter.close();
    for (const client of Object.values(this.#clients)) client.close();
    await this.#etcd.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function isBound(answer: Answer | null): boolean {
  return (answer?.json['error'] as { code?: string } | undefined)?.code === 'promised';
}

interface Writing {
  readonly folder: string;
  readonly region: Region;
  readonly mode: 'sync' | 'async';
  readonly endpoints: string[];
  readonly ports: Ports;
  readonly authority: TestAuthority;
  readonly more: TestSettings['more'];
}

async function writeConfigs({ folder, region, mode, endpoints, ports, authority, more }: Writing): Promise<void> {
  const own = join(folder, region);
  mkdirSync(own, { recursive: true });
  for (const program of ['database', 'api'] as const) {
    const { ca, cert, key } = await authority.issue(`${program}.${region}`);
    for (const [name, pem] of Object.entries({ ca, cert, key })) writeFileSync(join(own, `${program}-${name}.pem`), pem, { mode: 0o600 });
    const settings: TestSettings = {
      mode,
      policy: PATIENT,
      arbiter: { kind: 'etcd', endpoints, prefix: '/coditect-dr/' },
      // No controller, and so nobody who would publish anything.
      dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
      more,
      pem: `${program}-`,
      portOf: (of, where) => (of === 'controller' ? 1 : ports[where as Region][of]),
    };
    writeFileSync(join(own, `${program}.yaml`), testConfig(settings, program, region));
  }
}
