import type { EngineConfig } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import type { Log } from '../telemetry/log.ts';
import type { Holder } from './authority.ts';
import { LEADER, PRIMARY, PROMOTED, STANDBYS, type Where } from './fault.ts';
import { Hosts } from './hosts.ts';
import { Http } from './http.ts';
import { Judge, type Scene } from './judge.ts';
import { Network } from './network.ts';
import { withLongLease } from './policies.ts';
import { startController, startDatabase, type RunningDatabase, type Surroundings } from './programs.ts';
import { Random } from './random.ts';
import { SimulatedEtcd } from './simulated-arbiter.ts';
import { configOf, REGIONS } from './simulated-config.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedDns } from './simulated-dns.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import { VirtualTime } from './virtual-time.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly policy: Policy;
  /** Each process begins with one of two policies: the lease of the other lasts longer. */
  readonly leasesDiffer: boolean;
  readonly mode: 'sync' | 'async';
  /** What an asynchronous failover may lose by itself. */
  readonly rpoSeconds: number;
  /** Some wall clock will be set to another time. */
  readonly clocksJump: boolean;
  /** A log line of a program. */
  readonly onLine: ((atMs: number, who: string, action: string, details: unknown) => void) | null;
}

/** Three regions with a database and a controller each, an arbiter, a name, clients: the engine's own programs on simulated hosts. */
export class World implements Surroundings, Scene {
  readonly time = new VirtualTime();
  readonly network: Network;
  readonly hosts: Hosts;
  readonly http: Http;
  readonly etcd: SimulatedEtcd;
  readonly dns: SimulatedDns;
  readonly judge: Judge;
  readonly options: WorldOptions;
  readonly databases = new Map<string, RunningDatabase>();
  readonly #leases: Random;

  constructor(options: WorldOptions) {
    const { seed, policy } = options;
    const { time } = this;
    this.options = options;
    this.#leases = new Random(seed, 'leases of processes');
    this.judge = new Judge(this);
    const { judge } = this;
    this.hosts = new Hosts(time, seed, (process) => this.#boot(process));
    this.network = new Network(new Random(seed, 'network'));
    const { network } = this;
    this.http = new Http({ time, network, witness: judge });
    this.etcd = new SimulatedEtcd({ time, network, random: new Random(seed, 'arbiter'), policy, regions: REGIONS, witness: judge });
    this.dns = new SimulatedDns({
      time,
      network,
      timeoutMs: policy.appendTimeoutMs,
      onChange: (before, after) => judge.watch(() => judge.authority.routed(before, after)),
    });
  }

  disk(region: string): SimulatedDisk {
    return this.hosts.disk(region);
  }

  log(process: SimulatedProcess): Log {
    const { onLine } = this.options;
    const who = `${process.program}.${process.region}`;
    const write =
      onLine === null ? () => undefined : (action: string, details?: unknown): void => onLine(this.time.nowMs, who, action, details ?? {});
    return { debug: () => undefined, info: write, warn: write, error: write };
  }

  configOf({ region, program }: SimulatedProcess): EngineConfig {
    const { policy, leasesDiffer } = this.options;
    // Of a database more often: those hold leases, and controllers wait for them.
    const long = leasesDiffer && this.#leases.chance(program === 'database' ? 0.6 : 0.3);
    return configOf(region, { ...this.options, policy: long ? withLongLease(policy) : policy });
  }

  /** A region by what it is now: see `Where`. */
  regionOf(where: Where): string {
    const { lease, failover, leader } = this.etcd.records;
    const primary = lease?.value.holder ?? failover?.value.from ?? REGIONS[0];
    if (where === PRIMARY) return primary;
    if (where === LEADER) return leader?.value.region ?? REGIONS[0];
    if (where === PROMOTED) return failover?.value.to ?? failover?.value.target ?? primary;
    const standby = REGIONS.filter((region) => region !== primary)[STANDBYS.indexOf(where as (typeof STANDBYS)[number])];
    return standby ?? where;
  }

  /** Who could acknowledge at this moment, by its own clock. */
  holders(): readonly Holder[] {
    const holders: Holder[] = [];
    for (const { process, node } of this.databases.values()) {
      if (!process.isDead && node.lease?.isValid() === true) holders.push({ region: process.region, epoch: node.lease.epoch });
    }
    return holders;
  }

  /** How many databases have a lease at all, valid or not: cheaper to ask after every happening. */
  get leases(): number {
    let count = 0;
    for (const { node } of this.databases.values()) if (node.lease !== null) count++;
    return count;
  }

  #boot(process: SimulatedProcess): void {
    if (process.program === 'database') this.databases.set(process.region, startDatabase(this, process));
    else startController(this, process);
  }
}
