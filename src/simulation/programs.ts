import type { EngineConfig } from '../config/config.ts';
import type { Entry } from '../database/database.ts';
import { Controller } from '../failover/controller.ts';
import { controllerRoutes } from '../failover/routes.ts';
import { EngineError } from '../platform/errors.ts';
import { jsonReply, type Route } from '../platform/http.ts';
import { controlRoutes } from '../server/control-routes.ts';
import { kvRoutes } from '../server/kv.ts';
import { DatabaseNode } from '../server/node.ts';
import { databaseStatus } from '../server/status.ts';
import { keepLogShort } from '../server/trim.ts';
import type { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import type { Log } from '../telemetry/log.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Http } from './http.ts';
import type { Hosts } from './hosts.ts';
import type { Judge } from './judge.ts';
import type { SimulatedEtcd } from './simulated-arbiter.ts';
import type { SimulatedDns } from './simulated-dns.ts';

/** What a program finds around it. */
export interface Surroundings {
  readonly http: Http;
  readonly etcd: SimulatedEtcd;
  readonly dns: SimulatedDns;
  readonly hosts: Hosts;
  readonly judge: Judge;
  /** For a process that begins. */
  configOf(process: SimulatedProcess): EngineConfig;
  log(process: SimulatedProcess): Log;
}

export interface RunningDatabase {
  readonly process: SimulatedProcess;
  readonly node: DatabaseNode;
  readonly database: SimulatedDatabase;
}

/** The `database` program, and the API before it, which hands everything on. */
export function startDatabase(world: Surroundings, process: SimulatedProcess): RunningDatabase {
  const { region, clock } = process;
  const { hosts, http, etcd, judge } = world;
  const { ledger } = judge;
  const disk = hosts.disk(region);
  const config = world.configOf(process);
  const log = world.log(process);
  const database = new SimulatedDatabase({
    disk,
    sync: () => clock.sleep(hosts.syncMs(disk)),
    witness: {
      appended: (entries) => judge.watch(() => ledger.append(region, entries)),
      removed: (entries) => judge.watch(() => ledger.remove(region, entries, disk.exported)),
      committed: (entries) => judge.watch(() => ledger.commit(region, entries)),
    },
  });
  const broken = (error: unknown): void => {
    log.error('broken', { error });
    hosts.exited(process);
  };
  const node = new DatabaseNode({
    config,
    database,
    exportTail: (afterIndex) => exportTail(database, disk.exported, afterIndex),
    arbiter: etcd.client(process),
    client: http.client({ region, program: 'database' }, 'database', process),
    clock,
    log,
    onBroken: broken,
  });
  const { policy } = config;
  const routes: readonly Route[] = [
    ...kvRoutes({ node, database, policy, region }),
    ...controlRoutes({ node, database, region }),
    {
      method: 'GET',
      path: '/v1/status',
      roles: ['api', 'database', 'controller', 'operator'],
      handle: () => jsonReply(databaseStatus(node, database, config, clock)),
    },
  ];
  const onError = (error: unknown): void => {
    if (error instanceof EngineError && error.code === 'database-broken') broken(error);
    else judge.watch(() => expectedOrThrow(error));
  };
  http.listen(`database.${region}`, { process, routes, onError });
  http.listen(`api.${region}`, { process, routes, onError });
  node.run(process.ending.signal).catch(broken);
  keepLogShort(database, policy, clock, process.ending.signal).catch(broken);
  return { process, node, database };
}

export function startController(world: Surroundings, process: SimulatedProcess): void {
  const { region, clock } = process;
  const { http, etcd, dns, judge } = world;
  const metrics: Pick<ControllerMetrics, 'stepTook' | 'failoverEnded'> = { stepTook: () => undefined, failoverEnded: () => undefined };
  const controller = new Controller({
    config: world.configOf(process),
    clock,
    log: world.log(process),
    arbiter: etcd.client(process),
    dns: dns.client(process),
    client: http.client({ region, program: 'controller' }, 'controller', process),
    metrics,
  });
  const onError = (error: unknown): void => judge.watch(() => expectedOrThrow(error));
  http.listen(`controller.${region}`, { process, routes: controllerRoutes(controller, { text: () => Promise.resolve('') }), onError });
  controller.run(process.ending.signal).then(() => process.kill(), onError);
}

/** A server answers these and goes on; anything else is a mistake of ours. */
function expectedOrThrow(error: unknown): void {
  if (!(error instanceof EngineError) || error.code === 'internal') throw error;
}

/** What `replication/divergence` does with a file. */
function exportTail(
  database: SimulatedDatabase,
  exported: Entry[],
  afterIndex: number,
): { readonly file: string; readonly entries: number } | null {
  const { log, baseIndex } = database.state();
  const from = Math.max(afterIndex, baseIndex) + 1;
  if (from > log.index) return null;
  const tail = database.entries(from, Infinity).filter(({ op }) => op !== 'noop');
  exported.push(...tail);
  return tail.length === 0 ? null : { file: `${from}`, entries: tail.length };
}
