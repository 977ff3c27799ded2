import type { RecordName, Records, Step } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import type { PublishedRoute } from '../dns/dns.ts';
import type { HttpRequest } from '../platform/http.ts';
import type { CallResult } from '../platform/https-client.ts';
import type { Log } from '../telemetry/log.ts';
import { Authority, type Holder } from './authority.ts';
import { Cause } from './cause.ts';
import { LEADER, PRIMARY, PROMOTED, STANDBYS, type Where } from './fault.ts';
import { Http } from './http.ts';
import { Ledger } from './ledger.ts';
import { Network, type Place } from './network.ts';
import { startController, startDatabase, type RunningController, type RunningDatabase, type Surroundings } from './programs.ts';
import { Random } from './random.ts';
import { SimulatedEtcd } from './simulated-arbiter.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedDns } from './simulated-dns.ts';
import { HostClock, SimulatedProcess, type Program } from './simulated-process.ts';
import { configOf, REGIONS } from './simulated-config.ts';
import { Violation } from './violation.ts';
import { VirtualTime } from './virtual-time.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly policy: Policy;
  readonly mode: 'sync' | 'async';
  /** Some wall clock will be set to another time. */
  readonly clocksJump: boolean;
  /** A log line of a program. */
  readonly onLine: ((atMs: number, who: string, action: string, details: unknown) => void) | null;
}

/** After a program ended by itself, its container is started again. */
const RESTART_MS = 300;

/** Three regions with a database and a controller each, an arbiter, a name, clients: the engine's own programs on simulated hosts. */
export class World implements Surroundings {
  readonly time = new VirtualTime();
  readonly network: Network;
  readonly http: Http;
  readonly etcd: SimulatedEtcd;
  readonly dns: SimulatedDns;
  readonly ledger: Ledger;
  readonly authority = new Authority();
  readonly cause: Cause;
  readonly options: WorldOptions;
  readonly databases = new Map<string, RunningDatabase>();
  readonly controllers = new Map<string, RunningController>();
  violation: Violation | null = null;
  /** Told of each step that a run reaches. */
  onStep: (step: Step) => void = () => undefined;
  readonly #random: Random;
  readonly #disks = new Map<string, SimulatedDisk>();
  readonly #hosts = new Map<string, HostClock>();
  readonly #processes = new Map<string, SimulatedProcess>();
  /** How many faults keep a program down. */
  readonly #down = new Map<string, number>();

  constructor(options: WorldOptions) {
    const { seed, policy, mode } = options;
    const { time } = this;
    this.options = options;
    this.#random = new Random(seed, 'hosts');
    this.ledger = new Ledger(mode);
    this.cause = new Cause(policy, REGIONS, options.clocksJump);
    this.network = new Network(new Random(seed, 'network'));
    this.http = new Http({
      time,
      network: this.network,
      witness: {
        serves: (request, at) => this.watch(() => this.#serves(request, at)),
        replied: (request, at, status, json) => this.watch(() => this.#replied(request, at, status, json)),
        heard: (by, path, from, result, sentAtMs) => this.watch(() => this.#heard({ by, path, from, result, sentAtMs })),
      },
    });
    this.etcd = new SimulatedEtcd({
      time,
      network: this.network,
      random: new Random(seed, 'arbiter'),
      policy,
      regions: REGIONS,
      witness: {
        asked: (by, record, value) => this.watch(() => this.#asked(by, record, value)),
        stored: (by, record, after, before) => this.watch(() => this.#stored(by, record, { before, after })),
      },
    });
    this.dns = new SimulatedDns({
      time,
      network: this.network,
      timeoutMs: policy.appendTimeoutMs,
      onChange: (before: PublishedRoute | null, after: PublishedRoute) => this.watch(() => this.authority.routed(before, after)),
    });
  }

  /** Runs a check; the first violation ends the run, wherever it came out. */
  watch(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.violation ??= error instanceof Violation ? error : new Violation('programs-do-not-break', describe(error));
    }
  }

  disk(region: string): SimulatedDisk {
    return getOrMake(this.#disks, region, () => new SimulatedDisk());
  }

  host(region: string, program: Program): HostClock {
    return getOrMake(this.#hosts, `${program}.${region}`, () => new HostClock(this.time, this.#random.between(0, 1e6)));
  }

  process(region: string, program: Program): SimulatedProcess {
    return this.#processes.get(`${program}.${region}`) as SimulatedProcess;
  }

  /** Starts a program unless another fault still keeps it down. */
  start(region: string, program: Program): void {
    const name = `${program}.${region}`;
    const down = Math.max(0, (this.#down.get(name) ?? 0) - 1);
    this.#down.set(name, down);
    if (down === 0) this.#boot(region, program);
  }

  kill(region: string, program: Program): void {
    const name = `${program}.${region}`;
    this.#down.set(name, (this.#down.get(name) ?? 0) + 1);
    this.#processes.get(name)?.kill();
  }

  /** It ended by itself: its disk failed. */
  exited(process: SimulatedProcess): void {
    if (process.isDead) return;
    const { region, program } = process;
    process.kill();
    this.time.after(RESTART_MS, null, () => {
      if ((this.#down.get(`${program}.${region}`) ?? 0) === 0) this.#boot(region, program);
    });
  }

  /** How long this disk takes to sync now. */
  syncMs(disk: SimulatedDisk): number {
    return this.#random.between(0.5, 5) + disk.slowMs * this.#random.between(0.5, 1);
  }

  log(process: SimulatedProcess): Log {
    const { onLine } = this.options;
    const who = `${process.program}.${process.region}`;
    const write =
      onLine === null ? () => undefined : (action: string, details?: unknown): void => onLine(this.time.nowMs, who, action, details ?? {});
    return { debug: () => undefined, info: write, warn: write, error: write };
  }

  configOf(region: string): EngineConfig {
    return configOf(region, this.options);
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
    for (const [region, { process, node }] of this.databases) {
      if (!process.isDead && node.lease?.isValid() === true) holders.push({ region, epoch: node.lease.epoch });
    }
    return holders;
  }

  #boot(region: string, program: Program): void {
    const name = `${program}.${region}`;
    const before = this.#processes.get(name);
    if (before !== undefined && !before.isDead) return;
    const process = new SimulatedProcess({ region, program }, this.time, this.host(region, program), this.#random);
    this.#processes.set(name, process);
    this.time.after(0, process, () => {
      if (program === 'database') this.databases.set(region, startDatabase(this, process));
      else this.controllers.set(region, startController(this, process));
    });
  }

  #serves(request: HttpRequest, _at: Place): void {
    const { path, body } = request;
    if (path !== '/v1/fence' && path !== '/v1/seal' && path !== '/v1/promote') return;
    const { epoch, runId } = JSON.parse(body.toString()) as { epoch: number; runId: string };
    this.authority.acts(path, epoch, runId, this.etcd.records.failover?.value ?? null);
  }

  #replied({ method, path, rest, body }: HttpRequest, { region }: Place, status: number, json: unknown): void {
    if ((path === '/v1/seal' || path === '/v1/fence') && status === 200) {
      const { epoch } = JSON.parse(body.toString()) as { epoch: number };
      if (this.disk(region).image.sealedEpoch < epoch)
        throw new Violation('promises-are-durable', `${region} answered ${path} of epoch ${epoch} before its disk had it`);
    }
    if (!path.startsWith('/v1/kv/')) return;
    const reply = json as { epoch?: number; index?: number; value?: string; error?: { applied?: string } };
    const { epoch = 0, index = 0 } = reply;
    if (method === 'PUT' && status === 200) {
      const node = this.databases.get(region);
      this.ledger.acknowledge({ region, epoch, index, key: rest, value: body.toString() }, node?.database.state());
    } else if (method === 'PUT' && reply.error?.applied === 'no') this.ledger.refuse(rest, body.toString());
    else if (method === 'GET' && (status === 200 || status === 404)) this.ledger.read(region, epoch, rest, reply.value);
  }

  #heard({
    by,
    path,
    from,
    result,
    sentAtMs,
  }: {
    readonly by: Place;
    readonly path: string;
    readonly from: Place;
    readonly result: Reply;
    readonly sentAtMs: number;
  }): void {
    if (by.program !== 'controller' || result.status !== 200) return;
    if (path === '/v1/vote') this.cause.heardVote(by.region, from.region, { body: result.body, sentAtMs, atMs: this.time.nowMs });
    else if (path === `/v1/kv/.canary/${by.region}`) this.cause.sawCommit(by.region, this.time.nowMs);
  }

  #asked<K extends RecordName>(by: SimulatedProcess, record: K, value: Records[K]): void {
    if (record !== 'failover') return;
    const journal = value as Records['failover'];
    if (journal.acceptedLossSeconds !== null) this.ledger.mode = 'async';
    const { lease, maintenance } = this.etcd.records;
    const pausedKnown = maintenance?.value.paused === true && this.etcd.seenBy(by) >= maintenance.revision;
    this.cause.begins(by.region, journal, { lease: lease?.value ?? null, pausedKnown }, this.time.nowMs);
  }

  #stored<K extends RecordName>(
    by: SimulatedProcess,
    record: K,
    change: { readonly before: Records[K] | null; readonly after: Records[K] },
  ): void {
    this.authority.stored(record, change, this.holders());
    if (record === 'failover') {
      const { step } = change.after as Records['failover'];
      this.cause.ended(change.after as Records['failover']);
      if (step !== (change.before as Records['failover'] | null)?.step) this.onStep(step);
    }
    if (record !== 'lease') return;
    const lease = change.after as Records['lease'];
    const before = change.before as Records['lease'] | null;
    const takes = lease.holder !== null && lease.incarnation !== before?.incarnation;
    const database = this.databases.get(by.region)?.database.state();
    if (takes && database !== undefined) this.ledger.mustHoldAll(by.region, { lastIndex: database.log.index, epochs: database.epochs });
  }
}

type Reply = Extract<CallResult, { kind: 'reply' }>;

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
