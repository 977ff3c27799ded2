import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fdbcli, statusByFdbcli, tlsArgs, type Fdbcli } from '../foundationdb/fdbcli.ts';
import type { ClusterStatus } from '../foundationdb/status-json.ts';
import { conditionOf, viewOf } from '../foundationdb/cluster-view.ts';
import { systemClock } from '../platform/clock.ts';
import { findProgram } from '../platform/find-program.ts';
import { freePorts } from './free-ports.ts';
import { WITH_PARENT } from './with-parent.ts';

const CONFIGURE_MS = 60_000;
const HEALTHY_MS = 120_000;
/** Where ./scripts/setup unpacks it. */
const UNPACKED = join(homedir(), '.cache', 'coditect-dr', 'foundationdb', 'bin');
/** Where packages put it. */
const SYSTEM_FOLDERS = ['/usr/lib', '/usr/local/lib', '/usr/lib/x86_64-linux-gnu'] as const;

export interface FoundationdbPrograms {
  readonly fdbserver: string;
  readonly fdbcli: string;
  /** Null: the system's loader finds it. */
  readonly library: string | null;
}

/**
 * Where FoundationDB is on this machine: `FDB_BIN` (the folder of fdbserver and fdbcli), PATH or what ./scripts/setup has unpacked, and `FDB_LIB` (libfdb_c.so), a library beside the programs, or the system's. A string
 * says what is missing.
 */
export function findFoundationdb(environment: Readonly<Record<string, string | undefined>> = process.env): FoundationdbPrograms | string {
  const installed = [...(environment['PATH'] ?? '').split(delimiter), UNPACKED];
  const folders = environment['FDB_BIN'] === undefined ? installed : [environment['FDB_BIN']];
  const [fdbserver, cli] = [findProgram('fdbserver', folders), findProgram('fdbcli', folders)];
  if (fdbserver === undefined) return 'no fdbserver';
  if (cli === undefined) return 'no fdbcli';
  const beside = [join(dirname(fdbserver), 'libfdb_c.so'), join(dirname(fdbserver), '../lib/libfdb_c.so')].find((path) => existsSync(path));
  const library = environment['FDB_LIB'] ?? beside ?? null;
  if (library === null && !SYSTEM_FOLDERS.some((folder) => existsSync(join(folder, 'libfdb_c.so')))) return 'no libfdb_c.so';
  return { fdbserver, fdbcli: cli, library };
}

/** `two_regions`: as deploy/foundationdb/regions.json says it; `single_ssd`: for more data than the memory engine takes (1 GiB). */
export type Mode = 'single' | 'single_ssd' | 'three_datacenter' | 'two_regions';

/** No address to FoundationDB, and 127.0.0.1 to every resolver; `localhost` may be ::1. */
const LOOPBACK_NAME = '0x7f.1';
const SATELLITE = 'europe-west1';
const DATA_CENTERS: Readonly<Record<Mode, readonly string[]>> = {
  single: ['dc1'],
  single_ssd: ['dc1'],
  three_datacenter: ['dc1', 'dc1', 'dc2', 'dc2', 'dc3', 'dc3'],
  two_regions: ['us-central1', 'us-central1', 'us-east1', 'us-east1', SATELLITE, SATELLITE],
};

/** What makes the database. `fileconfigure` reads a file: it is put into the folder. */
function configuring(mode: Mode, folder: string): string {
  if (mode === 'single_ssd') return 'configure new single ssd-2';
  if (mode !== 'two_regions') return `configure new ${mode} ${mode === 'single' ? 'memory' : 'ssd-2'}`;
  const deployed = readFileSync(join(import.meta.dirname, '../../../deploy/foundationdb/regions.json'), 'utf8');
  const { regions } = JSON.parse(deployed) as { regions: unknown };
  const file = join(folder, 'regions.json');
  writeFileSync(file, JSON.stringify({ redundancy_mode: 'double', storage_engine: 'ssd-2', usable_regions: 2, regions }));
  return `fileconfigure new ${file}`;
}

interface Server {
  readonly dc: string;
  readonly name: string;
  readonly args: readonly string[];
  process: ChildProcess | null;
}

export interface ClusterOptions {
  /** Which of its servers, by their number; all where it is left out. */
  readonly coordinators?: readonly number[];
  /** Servers alone: no database is made. */
  readonly isBare?: true;
  /** Its coordinators are named by host. */
  readonly isNamed?: true;
  /** Files of servers and clients: nobody without a certificate of that authority is answered. */
  readonly tls?: Fdbcli['tls'];
}

/** Real fdbservers on loopback. The owner calls `stop`. */
export class FoundationdbCluster {
  readonly clusterFile: string;
  /** Each server, as the cluster file would name it. */
  readonly names: readonly string[];
  readonly #programs: FoundationdbPrograms;
  readonly #folder: string;
  readonly #servers: readonly Server[];

  /** What fdbcli identifies itself with. */
  readonly #tls: Fdbcli['tls'];

  private constructor(programs: FoundationdbPrograms, folder: string, servers: readonly Server[], tls: Fdbcli['tls']) {
    this.#programs = programs;
    this.#folder = folder;
    this.clusterFile = join(folder, 'client.cluster');
    this.names = servers.map(({ name }) => name);
    this.#servers = servers;
    this.#tls = tls;
  }

  /** Two processes in each of its data centres, the least with which they can be configured; one in all for `single`. */
  static async start(
    programs: FoundationdbPrograms,
    mode: Mode,
    { coordinators, isBare, isNamed, tls }: ClusterOptions = {},
  ): Promise<FoundationdbCluster> {
    const dcs = DATA_CENTERS[mode];
    const folder = mkdtempSync(join(tmpdir(), 'fdb-test-'));
    const ports = await freePorts(dcs.length);
    const addresses = ports.map((port) => `127.0.0.1:${port}${tls === undefined ? '' : ':tls'}`);
    const names = isNamed === true ? addresses.map((address) => address.replace('127.0.0.1', LOOPBACK_NAME)) : addresses;
    const connection = `test:test@${(coordinators?.map((i) => names[i]) ?? names).join(',')}\n`;
    const servers = dcs.map((dc, i): Server => {
      const own = join(folder, `${dc}-${i}`);
      mkdirSync(own);
      // Servers rewrite the file: each has its own.
      writeFileSync(join(own, 'fdb.cluster'), connection);
      const locality = [`--locality_dcid=${dc}`, `--locality_zoneid=${dc}-z${i}`, `--locality_machineid=${dc}-m${i}`];
      const place = ['-C', join(own, 'fdb.cluster'), '-p', addresses[i] as string, '-l', 'public', '-d', own, '-L', own];
      const role = mode === 'two_regions' && dc === SATELLITE ? ['-c', 'log'] : [];
      return {
        dc,
        name: names[i] as string,
        args: [...place, ...locality, ...role, ...tlsArgs(tls), '--knob_disable_posix_kernel_aio=1'],
        process: null,
      };
    });
    const cluster = new FoundationdbCluster(programs, folder, servers, tls);
    writeFileSync(cluster.clusterFile, connection);
    try {
      for (const server of servers) cluster.#spawn(server);
      if (isBare === true) return cluster;
      await cluster.cli(configuring(mode, folder), CONFIGURE_MS);
      await cluster.untilHealthy();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get dataCenters(): readonly string[] {
    return [...new Set(this.#servers.map(({ dc }) => dc))];
  }

  /** Of the servers that run. */
  get pids(): readonly number[] {
    return this.#servers.flatMap(({ process: child }) => (child?.pid === undefined ? [] : [child.pid]));
  }

  /** Runs one command and throws unless it was done. */
  async cli(command: string, timeoutMs = 20_000): Promise<string> {
    const result = await fdbcli(this.#cli(), command, timeoutMs, new AbortController().signal);
    if (result.kind !== 'done') throw new Error(`fdbcli ${command}: ${result.kind}: ${result.said}`);
    return result.said;
  }

  /** Throws where there is none. */
  async status(): Promise<ClusterStatus> {
    const status = await statusByFdbcli(this.#cli(), 20_000, new AbortController().signal);
    if (status === null) throw new Error('fdbcli gave no status');
    return status;
  }

  #cli(): Fdbcli {
    return { program: this.#programs.fdbcli, clusterFile: this.clusterFile, ...(this.#tls === undefined ? {} : { tls: this.#tls }) };
  }

  async untilHealthy(): Promise<void> {
    let last = '';
    for (const end = systemClock.monotonicMs() + HEALTHY_MS; systemClock.monotonicMs() < end; await systemClock.sleep(500)) {
      const status = await statusByFdbcli(this.#cli(), 10_000, new AbortController().signal);
      const condition = conditionOf(viewOf(status ?? {}), this.dataCenters);
      if (condition.kind === 'healthy') return;
      last = JSON.stringify(condition);
    }
    throw new Error(`FoundationDB did not become healthy: ${last}`);
  }

  #spawn(server: Server): void {
    server.process = spawn('setpriv', [...WITH_PARENT, this.#programs.fdbserver, ...server.args], { stdio: 'ignore' });
  }

  /** All servers of a data centre get the signal. */
  signal(dc: string, signal: NodeJS.Signals): void {
    for (const server of this.#servers) if (server.dc === dc) server.process?.kill(signal);
  }

  /** Starts those servers of a data centre that have ended. */
  async restart(dc: string): Promise<void> {
    for (const server of this.#servers) {
      if (server.dc !== dc) continue;
      await ended(server.process);
      this.#spawn(server);
    }
  }

  async stop(): Promise<void> {
    for (const { process: child } of this.#servers) child?.kill('SIGKILL');
    for (const { process: child } of this.#servers) await ended(child);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}
