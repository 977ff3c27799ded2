import { systemClock } from '../platform/clock.ts';
import { EngineCluster } from './engine-cluster.ts';
import { cpuSeconds, socketsOf } from './process-usage.ts';
import { NINE_REGIONS } from './test-config.ts';

export interface SteadyOptions {
  readonly regions: number;
  readonly policy: 'lab' | 'production';
  /** Of each phase. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Shares of one core, in percent. */
export interface Shares {
  readonly median: number;
  readonly max: number;
}

export interface SteadyPhase {
  readonly load: 'rest' | 'light';
  readonly seconds: number;
  readonly leaderPercent: number;
  readonly otherControllersPercent: Shares;
  readonly primaryDatabasePercent: number;
  readonly standbyDatabasesPercent: Shares;
  readonly apisPercent: Shares;
  readonly arbiterMembersPercent: Shares;
  /** By gRPC method, all members together. */
  readonly arbiterRequestsPerSecond: Readonly<Record<string, number>>;
  /** Of all controllers together: open at the end, and how many of those were not there at the beginning. */
  readonly controllerSockets: { readonly open: number; readonly new: number };
  readonly writes: { readonly acknowledged: number; readonly asked: number };
  /** Lines of the logs that a steady state has none of. */
  readonly unrest: Readonly<Record<string, number>>;
}

export interface SteadyRun {
  readonly regions: number;
  readonly policy: 'lab' | 'production';
  readonly phases: readonly SteadyPhase[];
}

/** Of a light load: so many writes a second, by the primary's API. */
const WRITES_PER_SECOND = 20;
/** After everything is there: until caches, connections and compilers are. */
const WARM_MS = 10_000;
const READY_MS = 180_000;
const UNREST = [
  'primary_suspected',
  'failover_initiated',
  'self_fenced',
  'leader_elected',
  'sync_set_changed',
  'effect_failed',
  'request_failed',
];

/** The engine at rest and under a light load, as real programs with real arbiter and name on loopback. Throws where it does not come to rest. */
export async function measureSteady(options: SteadyOptions): Promise<SteadyRun> {
  const { policy, seconds, onLine, signal } = options;
  const regions = NINE_REGIONS.slice(0, options.regions);
  const cluster = await EngineCluster.prepare('sync', policy === 'lab' ? 'lab' : { preset: 'production' }, {}, { regions });
  try {
    cluster.startAll();
    await untilCalm(cluster, regions, signal);
    onLine(`${regions.length} regions, ${policy}: at rest`);
    await systemClock.sleep(WARM_MS, signal);
    const phases: SteadyPhase[] = [];
    for (const load of ['rest', 'light'] as const) phases.push(await measurePhase(cluster, regions, { load, seconds, signal }));
    return { regions: regions.length, policy, phases };
  } finally {
    await cluster.stop();
  }
}

interface Phase {
  readonly load: SteadyPhase['load'];
  readonly seconds: number;
  readonly signal: AbortSignal;
}

async function measurePhase(cluster: EngineCluster, regions: readonly string[], { load, seconds, signal }: Phase): Promise<SteadyPhase> {
  const { leader, primary } = await untilCalm(cluster, regions, signal);
  const controllers = regions.map((region) => cluster.pidOf('controller', region));
  const before = await reading(cluster, regions);
  const sockets = controllers.map(socketsOf);
  const [from, startedMs] = [cluster.logs.length, systemClock.monotonicMs()];
  const writes = await during(cluster, primary, { load, seconds, signal });
  const tookSeconds = (systemClock.monotonicMs() - startedMs) / 1000;
  const after = await reading(cluster, regions);
  const percent = (name: string): number =>
    round((((after.cpu.get(name) as number) - (before.cpu.get(name) as number)) / tookSeconds) * 100);
  const sharesOf = (program: string, which: readonly string[]): Shares => shares(which.map((region) => percent(`${program} ${region}`)));
  const now = controllers.map(socketsOf);
  const perSecond = [...after.requests].map(
    ([method, count]) => [method, round((count - (before.requests.get(method) ?? 0)) / tookSeconds)] as const,
  );
  const lines = cluster.logs.slice(from).map(({ action }) => action);
  return {
    load,
    seconds: round(tookSeconds),
    leaderPercent: percent(`controller ${leader}`),
    otherControllersPercent: sharesOf(
      'controller',
      regions.filter((region) => region !== leader),
    ),
    primaryDatabasePercent: percent(`database ${primary}`),
    standbyDatabasesPercent: sharesOf(
      'database',
      regions.filter((region) => region !== primary),
    ),
    apisPercent: sharesOf('api', regions),
    arbiterMembersPercent: shares(cluster.etcd.pids.map((_, i) => percent(`arbiter ${i}`))),
    arbiterRequestsPerSecond: Object.fromEntries(perSecond.filter(([, rate]) => rate > 0)),
    controllerSockets: {
      open: now.reduce((sum, { size }) => sum + size, 0),
      new: now.reduce((sum, open, i) => sum + [...open].filter((socket) => sockets[i]?.has(socket) !== true).length, 0),
    },
    writes,
    unrest: Object.fromEntries(
      UNREST.map((action) => [action, lines.filter((line) => line === action).length]).filter(([, count]) => count !== 0),
    ),
  };
}

/** Waits; under load it writes as well, on a fixed schedule, whatever the writes before have come to. */
async function during(cluster: EngineCluster, primary: string, { load, seconds, signal }: Phase): Promise<SteadyPhase['writes']> {
  if (load === 'rest') {
    await systemClock.sleep(seconds * 1000, signal);
    return { asked: 0, acknowledged: 0 };
  }
  const asked: Promise<boolean>[] = [];
  for (let i = 0; i < seconds * WRITES_PER_SECOND; i++) {
    asked.push(cluster.ask('api', primary, `/v1/kv/steady-${i}`, 'light').then((reply) => reply?.status === 200));
    await systemClock.sleep(1000 / WRITES_PER_SECOND, signal);
  }
  const acknowledged = (await Promise.all(asked)).filter(Boolean).length;
  return { asked: asked.length, acknowledged };
}

interface Reading {
  readonly cpu: ReadonlyMap<string, number>;
  readonly requests: ReadonlyMap<string, number>;
}

async function reading(cluster: EngineCluster, regions: readonly string[]): Promise<Reading> {
  const cpu = new Map<string, number>();
  for (const region of regions)
    for (const program of ['controller', 'database', 'api'] as const)
      cpu.set(`${program} ${region}`, cpuSeconds(cluster.pidOf(program, region)));
  for (const [i, pid] of cluster.etcd.pids.entries()) cpu.set(`arbiter ${i}`, cpuSeconds(pid));
  return { cpu, requests: await cluster.etcd.requests() };
}

/** One leads from outside the primary's region, every observer is healthy, every standby in sync. */
async function untilCalm(
  cluster: EngineCluster,
  regions: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly leader: string; readonly primary: string }> {
  let seen = 'nothing';
  for (const endMs = systemClock.monotonicMs() + READY_MS; systemClock.monotonicMs() < endMs; await systemClock.sleep(250, signal)) {
    for (const region of regions) {
      const status = (await cluster.ask('controller', region, '/v1/status'))?.json as ControllerView | undefined;
      if (status?.leads !== true || status.primary === null) continue;
      seen = JSON.stringify(status);
      const healthy = regions.every((observer) => status.observers[observer]?.verdict === 'healthy');
      if (!healthy || status.state !== 'Normal' || region === status.primary) continue;
      const database = (await cluster.ask('database', status.primary, '/v1/status'))?.json as DatabaseView | undefined;
      if (regions.every((standby) => standby === status.primary || database?.standbys[standby]?.inSync === true))
        return { leader: region, primary: status.primary };
    }
  }
  throw new Error(`not at rest within ${READY_MS / 1000} s; the leader says ${seen}`);
}

interface ControllerView {
  readonly leads: boolean;
  readonly state: string;
  readonly primary: string | null;
  readonly observers: Readonly<Record<string, { readonly verdict: string }>>;
}
interface DatabaseView {
  readonly standbys: Readonly<Record<string, { readonly inSync: boolean }>>;
}

function shares(percents: readonly number[]): Shares {
  const sorted = percents.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
